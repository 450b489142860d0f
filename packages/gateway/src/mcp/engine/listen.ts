/** `subscriptions/listen`: a request that is not answered until it ends, and tells of changes meanwhile. */
import type { JsonObject } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import type { HostChange, McpHost } from '../host.ts';
import { invalidParams } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { notificationText, resultText } from './messages.ts';
import { Notices } from './notices.ts';
import type { McpRequest, RequestId } from './read-message.ts';
import { identity, readEnvelope } from './stateless.ts';
import { META } from './versions.ts';

export const LISTEN = 'subscriptions/listen';

export class Listening implements Disposable {
  readonly #id: RequestId;
  readonly #host: McpHost;
  readonly #notices: Notices;

  /** Says first what it will tell of. Throws `McpError` for what cannot be understood, before anything is sent. */
  constructor(request: McpRequest, host: McpHost, limits: McpLimits, stream: MessageStream) {
    readEnvelope(request.params);
    const wanted = readFilter(request.params['notifications'], host, limits);
    const uris = new Set(wanted.uris);
    this.#id = request.id;
    this.#host = host;
    const tagged = (params: JsonObject = {}): JsonObject => ({ _meta: { [META.subscriptionId]: request.id }, ...params });
    stream.send(notificationText('notifications/subscriptions/acknowledged', tagged({ notifications: wanted.filter })), { mayDrop: false });
    this.#notices = new Notices({
      host,
      isWanted: (change) => isWanted(change, wanted.filter, uris),
      send: (method, params) => stream.send(notificationText(method, tagged(params)), { mayDrop: true }),
    });
  }

  ready(): void {
    this.#notices.ready();
  }

  /** What the server says when it is the one who ends it. */
  endText(): string {
    return resultText(this.#id, { resultType: 'complete', _meta: { [META.subscriptionId]: this.#id, ...identity(this.#host) } });
  }

  [Symbol.dispose](): void {
    this.#notices[Symbol.dispose]();
  }
}

const FILTERS = { tools: 'toolsListChanged', prompts: 'promptsListChanged', resources: 'resourcesListChanged' } as const;

type Wanted = { readonly filter: JsonObject; readonly uris: readonly string[] };

/** Of what the client wants what there is. */
function readFilter(given: unknown, host: McpHost, { subscriptionsMax, textMax }: McpLimits): Wanted {
  if (!isObject(given)) throw invalidParams('Cannot listen: notifications is no object');
  const { resourceSubscriptions = [] } = given;
  if (!Array.isArray(resourceSubscriptions) || resourceSubscriptions.length > subscriptionsMax) {
    throw invalidParams(`Cannot listen: resourceSubscriptions is no list of at most ${subscriptionsMax}`);
  }
  const uris = resourceSubscriptions.map((uri: unknown) => {
    if (typeof uri !== 'string' || uri.length > textMax)
      throw invalidParams('Cannot listen: one of resourceSubscriptions is no short text');
    return uri;
  });
  const offered = { tools: true, prompts: host.prompts !== undefined, resources: host.resources?.tellsOfList === true };
  const kinds = (['tools', 'prompts', 'resources'] as const).filter((kind) => offered[kind] && given[FILTERS[kind]] === true);
  const heard = host.resources?.canSubscribe === true ? uris : [];
  return {
    filter: {
      ...Object.fromEntries(kinds.map((kind) => [FILTERS[kind], true])),
      ...(heard.length > 0 && { resourceSubscriptions: heard }),
    },
    uris: heard,
  };
}

function isWanted(change: HostChange, filter: JsonObject, uris: ReadonlySet<string>): boolean {
  return change.kind === 'resource' ? uris.has(change.uri) : filter[FILTERS[change.kind]] === true;
}

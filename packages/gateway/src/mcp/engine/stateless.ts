/** Requests of the version without sessions: each says all there is to know, and is answered by itself. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import type { SealedStates, StateOwner } from '../../internal/sealed-states.ts';
import type { LogLevel, McpHost } from '../host.ts';
import { requireAnswerable, serverCapabilities } from './capabilities.ts';
import { readLogLevel } from './host-request.ts';
import { invalidParams, McpError, UNSUPPORTED_VERSION } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { METHODS, type Method } from './methods.ts';
import type { McpRequest } from './read-message.ts';
import { methodNotFound } from './session.ts';
import { META, SESSION_VERSIONS, STATELESS_VERSION, STATELESS_VERSIONS } from './versions.ts';

export type StatelessParts = {
  readonly host: McpHost;
  readonly limits: McpLimits;
  readonly states: SealedStates;
  /** Whose states these are. Few requests have any. */
  readonly caller: () => string;
};

const DISCOVER_FRESH_MS = 60_000;

/** Whether a message is of this version's kind. */
export function isStateless(params: JsonObject): boolean {
  const meta = params['_meta'];
  return isObject(meta) && meta[META.protocolVersion] !== undefined;
}

/** What each request says of itself. Throws `McpError`. */
export function readEnvelope(params: JsonObject): { readonly client: JsonObject; readonly logLevel: LogLevel | undefined } {
  const meta = params['_meta'];
  if (!isObject(meta)) throw invalidParams('Cannot answer the request: it has no _meta');
  const version = meta[META.protocolVersion];
  if (typeof version !== 'string') throw invalidParams(`Cannot answer the request: its _meta has no ${META.protocolVersion}`);
  if (version !== STATELESS_VERSION) throw unsupportedVersion(version);
  const client = meta[META.clientCapabilities];
  if (!isObject(client)) throw invalidParams(`Cannot answer the request: its _meta has no ${META.clientCapabilities}`);
  const level = meta[META.logLevel];
  return { client, logLevel: level === undefined ? undefined : readLogLevel(level) };
}

export function unsupportedVersion(requested: string): McpError {
  // In the data those that `server/discover` names, as the protocol wants it; people are told of all.
  const all = [...STATELESS_VERSIONS, ...SESSION_VERSIONS];
  return new McpError(
    UNSUPPORTED_VERSION,
    `Cannot answer the request: this version of the protocol is not spoken here; spoken are ${all.join(', ')}`,
    { supported: STATELESS_VERSIONS, requested: requested.slice(0, 100) },
  );
}

/** The result of any request but `subscriptions/listen`. Rejects with `McpError`, faults, and what is a defect. */
export async function runStateless(
  { method: name, params }: McpRequest,
  { host, limits, states, caller }: StatelessParts,
  stream: MessageStream,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { client, logLevel } = readEnvelope(params);
  if (name === 'server/discover') return complete(host, discover(host), DISCOVER_FRESH_MS);
  const method = METHODS.get(name);
  if (method === undefined || !method.isOffered(host)) throw methodNotFound(name);
  const { inputResponses, requestState } = params;
  const owner = (): StateOwner => ownerOf(name, method, params, caller());
  const outcome = await method.run(host, params, {
    ...{ signal, client, stream, limits },
    logLevel: () => (host.logs ? logLevel : undefined),
    answers: inputResponses === undefined ? undefined : readAnswers(inputResponses),
    state: requestState === undefined ? undefined : openState(states, requestState, owner()),
  });
  if (outcome.kind === 'done') return complete(host, outcome.result, method.freshMs);
  requireAnswerable(outcome.questions, client);
  return {
    resultType: 'input_required',
    ...(Object.keys(outcome.questions).length > 0 && { inputRequests: outcome.questions }),
    ...(outcome.state !== undefined && { requestState: states.seal(outcome.state, owner()) }),
    _meta: identity(host),
  };
}

export function identity({ server: { name, version, title } }: McpHost): JsonObject {
  return { [META.serverInfo]: { name, version, ...(title !== undefined && { title }) } };
}

function complete(host: McpHost, result: JsonObject, freshMs: number | undefined): JsonObject {
  const { _meta } = result;
  return {
    resultType: 'complete',
    ...result,
    // What a caller is offered depends on its grants.
    ...(freshMs !== undefined && { ttlMs: freshMs, cacheScope: 'private' }),
    _meta: { ...(isObject(_meta) && _meta), ...identity(host) },
  };
}

function discover(host: McpHost): JsonObject {
  const { instructions } = host;
  return {
    supportedVersions: STATELESS_VERSIONS,
    capabilities: serverCapabilities(host),
    ...(instructions !== undefined && { instructions }),
  };
}

function ownerOf(name: string, { subject }: Method, params: JsonObject, caller: string): StateOwner {
  return { caller, method: name, subject: subject === undefined ? null : (params[subject] ?? null), args: params['arguments'] ?? null };
}

function readAnswers(given: unknown): JsonObject {
  if (!isObject(given)) throw invalidParams('Cannot go on: inputResponses are no object');
  const broken = Object.keys(given).find((name) => !isObject(given[name]));
  if (broken !== undefined) throw invalidParams(`Cannot go on: the answer ${JSON.stringify(broken.slice(0, 80))} is no object`);
  return given;
}

function openState(states: SealedStates, sealed: JsonValue, owner: StateOwner): JsonValue {
  const state = states.open(sealed, owner);
  if (state !== undefined) return state;
  throw invalidParams(
    'Cannot go on: the request state is not one that was given to this caller for this request, or it is too old; make the request anew',
  );
}

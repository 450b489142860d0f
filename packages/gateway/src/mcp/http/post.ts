/** A message that came by POST, and how it is answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../../http/authenticate.ts';
import type { Gateway } from '../../http/gateway.ts';
import type { Hold } from '../../http/hold.ts';
import { LiveIdentity } from '../../http/live-identity.ts';
import { noRoom } from '../../http/read-body.ts';
import { errorOf } from '../engine/mcp-error.ts';
import { errorText } from '../engine/messages.ts';
import { HttpReply, type ReplyStream } from './http-reply.ts';
import { takesOf } from './takes.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly identity: Identity;
  readonly gateway: Gateway;
};

export type Post = Exchange & { readonly hold: Hold };

export type ReplyOptions = {
  readonly openStream: () => ReplyStream;
  /** The token was taken back while the request was under way. */
  readonly onRevoked: () => void;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

export class PostReply {
  readonly stream: HttpReply;
  readonly #live: LiveIdentity;

  constructor({ request, response, identity, gateway, hold }: Post, { openStream, onRevoked, headers }: ReplyOptions) {
    const { limits, kernel, mcp } = gateway;
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.stream = new HttpReply({
      ...{ response, openStream, headers },
      takes: takesOf(request),
      hold: (bytes) => hold.add(bytes),
      onBeat: () => {
        this.#live.isGood().then((isGood) => isGood || onRevoked(), onRevoked);
      },
      streamAfterMs: mcp.limits.streamAfterMs,
      heartbeatMs: limits.heartbeatMs,
      stallMs: limits.stallMs,
    });
  }

  /** Who may not know any more learns nothing. */
  async finish(text: string | undefined, status = 200): Promise<void> {
    const isGood = await this.#live.isGood().catch(() => false);
    const refused = isGood ? undefined : errorText(null, { code: -32000, message: 'Cannot answer: the token is no longer good' });
    this.stream.finish(refused ?? text, isGood ? status : 401, () => errorText(null, errorOf(noRoom())));
  }
}

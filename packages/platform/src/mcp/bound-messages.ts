/** Holds what a server sends to the bounds of a connection, before the protocol looks at it: depth and size of each message, and how many come that nobody asked for. */
import type { Transport } from '@modelcontextprotocol/client';
import { copyJson } from '../capability/copy-json.ts';
import { MCP_LIMITS } from './mcp-limits.ts';

const MINUTE_MS = 60_000;
type OnMessage = NonNullable<Transport['onmessage']>;

/** Whatever sets `onmessage` from now on gets what is within bounds, and nothing after that. `fail` is called once. */
export function boundMessages(transport: Transport, now: () => number, fail: (reason: string) => void): void {
  let receive: Transport['onmessage'];
  let unasked = 0;
  let since = now();
  let isFailed = false;
  const isWithin = (message: Parameters<OnMessage>[0]): boolean => {
    if (isFailed) return false;
    const reason = reasonAgainst(message);
    if (reason === undefined) return true;
    isFailed = true;
    fail(reason);
    return false;
  };
  const reasonAgainst = (message: Parameters<OnMessage>[0]): string | undefined => {
    const copied = copyJson(message, MCP_LIMITS.messageBytesMax);
    if (copied.kind === 'refused') return `sends a message that ${copied.reason}`;
    if (!('method' in message)) return undefined;
    if (now() - since > MINUTE_MS) {
      since = now();
      unasked = 0;
    }
    unasked += 1;
    const { noticesPerMinuteMax } = MCP_LIMITS;
    return unasked > noticesPerMinuteMax ? `sends more than ${noticesPerMinuteMax} messages a minute that nobody asked for` : undefined;
  };
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    enumerable: true,
    get: () => receive,
    set: (handler: Transport['onmessage']) => {
      const checked: OnMessage = (message, extra) => {
        if (isWithin(message)) handler?.(message, extra);
      };
      receive = handler === undefined ? undefined : checked;
    },
  });
}

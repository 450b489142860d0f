/**
 * Chat bridges over topics: what comes in from a chat is published to `bridge.<kind>.inbound` for whoever subscribes, and what is published to
 * `bridge.<kind>.outbound` is sent out by a receiver, at least once and without asking again and again whether there is something.
 */
import { setTimeout } from 'node:timers/promises';
import { FAULTS, Fault, isFault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { WAIT_MS } from './limits.ts';
import type { Mail, Message } from './mail.ts';

const MESSAGE_KIND = 'bridge.message';
const BATCH = { default: 32, most: 1_000 } as const;
/** Ids remembered of messages that were sent out, should one be handed out again because its acknowledgement was late or failed. */
const SENT_MAX = 1_000;
const RETRY_MS = 1_000;

export type BridgeText = {
  /** Who wrote it, or who it is for: a name in the chat, not a process. */
  readonly peer: string;
  readonly text: string;
  readonly metadata?: JsonObject | undefined;
  /** Kernel time. Default: now. */
  readonly at?: number | undefined;
};

export type OutboundMessage = Required<BridgeText> & { readonly messageId: number };

export type OutboundOptions = {
  /** Whose box it is; it has to be subscribed. */
  readonly pid: number;
  /** Resolves once it is sent; then it is acknowledged. What fails is tried again when its visibility ends. */
  readonly send: (message: OutboundMessage, signal: AbortSignal) => Promise<void>;
  /** Hears of each failure, of a send or of the receiver itself. */
  readonly onError?: ((error: unknown, message: OutboundMessage | undefined) => void) | undefined;
  readonly batch?: number | undefined;
  readonly visibilityMs?: number | undefined;
};

/** Runs until it is disposed, or until its box is gone or the kernel closes. */
export type OutboundReceiver = AsyncDisposable & { readonly ended: Promise<void> };

type Published = Awaited<ReturnType<Mail['publish']>>;

export interface BridgeMirror {
  mirrorInbound(text: BridgeText): Promise<Published>;
  queueOutbound(text: BridgeText): Promise<Published>;
  subscribeInbound(pid: number): Promise<void>;
  subscribeOutbound(pid: number): Promise<void>;
  receiveOutbound(options: OutboundOptions): OutboundReceiver;
}

export type BridgeMirrorParts = {
  readonly mail: Mail;
  /** Which bridge: `telegram`, `slack`, or any other word of small letters, digits, _ and -. */
  readonly kind: string;
  readonly now: () => number;
};

/** Throws `mail_invalid` when `kind` is no word. */
export function createBridgeMirror({ mail, kind, now }: BridgeMirrorParts): BridgeMirror {
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(kind)) {
    throw new Fault('mail_invalid', 'Cannot mirror a bridge: its kind is no word of a-z, 0-9, _ and -', { details: { field: 'kind' } });
  }
  const inbound = `bridge.${kind}.inbound`;
  const outbound = `bridge.${kind}.outbound`;
  const publish = (direction: 'inbound' | 'outbound', { peer, text, metadata = {}, at = now() }: BridgeText) =>
    mail.publish(undefined, direction === 'inbound' ? inbound : outbound, {
      kind: MESSAGE_KIND,
      payload: { kind, sender: peer, text, direction, metadata, ts: at / 1_000 },
    });
  return {
    mirrorInbound: (text) => publish('inbound', text),
    queueOutbound: (text) => publish('outbound', text),
    subscribeInbound: (pid) => mail.subscribe(pid, inbound),
    subscribeOutbound: (pid) => mail.subscribe(pid, outbound),
    receiveOutbound(options) {
      const stopping = new AbortController();
      const ended = receiveOutbound(mail, outbound, options, stopping.signal);
      return {
        ended,
        async [Symbol.asyncDispose]() {
          stopping.abort();
          await ended;
        },
      };
    },
  };
}

async function receiveOutbound(mail: Mail, topic: string, options: OutboundOptions, signal: AbortSignal): Promise<void> {
  const { pid, visibilityMs, batch = BATCH.default, onError = () => {} } = options;
  const sent = new SentIds();
  const request = { limit: Math.min(batch, BATCH.most), visibilityMs, waitMs: WAIT_MS.most, topic };
  while (!signal.aborted) {
    try {
      for (const message of await mail.receive(pid, request, signal)) {
        if (signal.aborted) return; // The rest is handed out again.
        await sendOut(mail, message, options, sent, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      onError(error, undefined);
      if (!isFault(error) || !FAULTS[error.code].retry) return;
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => {}); // Disposed meanwhile: the loop ends.
    }
  }
}

/** One message. Whatever fails here is told and does not keep the others back. */
async function sendOut(
  mail: Mail,
  { id, payload, kind }: Message,
  { pid, send, onError = () => {} }: OutboundOptions,
  sent: SentIds,
  signal: AbortSignal,
): Promise<void> {
  const message = kind === MESSAGE_KIND ? readOutbound(id, payload) : undefined;
  if (message === undefined) return; // Not a bridge's. If nobody else takes it either, it becomes a dead letter.
  try {
    if (!sent.has(id)) await send(message, signal);
    sent.add(id);
    await mail.acknowledge(pid, [id]);
  } catch (error) {
    onError(error, message);
  }
}

function readOutbound(messageId: number, { sender, text, direction, metadata, ts }: JsonObject): OutboundMessage | undefined {
  if (direction !== 'outbound' || typeof sender !== 'string' || typeof text !== 'string' || typeof ts !== 'number') return undefined;
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  return { messageId, peer: sender, text, metadata: isObject ? (metadata as JsonObject) : {}, at: Math.round(ts * 1_000) }; // It was just checked.
}

/** The newest ids; the oldest is forgotten when there are too many. */
class SentIds {
  readonly #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= SENT_MAX) return;
    const [oldest] = this.#ids;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }
}

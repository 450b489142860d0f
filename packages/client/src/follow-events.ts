/** Follows the events of a workspace over server-sent events: without gaps or repeats, also when the connection breaks in between. */
import { Fault, faultFromError, isFault } from '@warren/protocol';
import { readEventStream } from './event-stream.ts';
import type { Transport, WireStream } from './transport.ts';

export type EventFilter = {
  readonly workspace?: string | undefined;
  readonly pid?: number | undefined;
  readonly kind?: string | undefined;
  /** Begin after this event. Default: with what happens from now on. */
  readonly after?: number | undefined;
  /** What to do when some of the events after `after` are no longer kept: fail with `conflict` (the default), or go on with those that are. */
  readonly gaps?: 'refuse' | 'skip' | undefined;
};

export type FollowOptions = {
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
  /** Called when the connection broke and before it is tried again. Throw to give up. */
  readonly onInterruption?: ((fault: Fault) => void) | undefined;
};

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5_000;

/** Only a broken connection is tried again; what the daemon refuses is thrown. */
export async function* followEvents<Event>(
  transport: Transport,
  headers: Readonly<Record<string, string>>,
  filter: EventFilter,
  { signal, onInterruption }: FollowOptions,
): AsyncGenerator<Event, void, undefined> {
  let last: string | undefined;
  let pauseMs = PAUSE_MS_MIN;
  while (!signal.aborted) {
    try {
      const stream = await open(transport, { ...headers, ...(last !== undefined && { 'last-event-id': last }) }, filter, signal);
      for await (const { id, data, retryMs } of readEventStream(stream.body)) {
        pauseMs = retryMs === undefined ? PAUSE_MS_MIN : Math.min(Math.max(retryMs, PAUSE_MS_MIN), PAUSE_MS_MAX);
        if (id !== undefined && id !== '') last = id;
        if (data !== '') yield JSON.parse(data) as Event; // What the daemon sends is by its contract.
      }
      throw new Fault('unavailable', `Cannot follow the events of ${transport.address}: the daemon ended the stream`);
    } catch (error) {
      if (signal.aborted) return;
      if (!isFault(error, 'unavailable')) throw error;
      onInterruption?.(error);
    }
    await pause(pauseMs * (0.5 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }
}

async function open(
  transport: Transport,
  headers: Readonly<Record<string, string>>,
  filter: EventFilter,
  signal: AbortSignal,
): Promise<WireStream> {
  const stream = await transport.stream(
    { method: 'GET', path: `/events?${query(filter)}`, headers: { ...headers, accept: 'text/event-stream' } },
    signal,
  );
  if (stream.status === 200 && stream.contentType.startsWith('text/event-stream')) return stream;
  let body = '';
  for await (const piece of stream.body) body += piece;
  throw refusal(stream.status, body, transport.address);
}

function query(filter: EventFilter): string {
  const given = new URLSearchParams({ gaps: 'refuse' });
  for (const [key, value] of Object.entries(filter)) if (value !== undefined) given.set(key, `${value}`);
  return given.toString();
}

/** The fault of an answer that is not what was asked for. */
export function refusal(status: number, body: string, address: string): Fault {
  try {
    const document: unknown = JSON.parse(body);
    if (typeof document === 'object' && document !== null && 'error' in document) return faultFromError(document.error);
  } catch {
    // Not ours, then.
  }
  return new Fault('protocol_error', `Cannot understand ${address}: it answers with HTTP ${status}, as no daemon does`, {
    details: { status },
  });
}

/** Returns early when `signal` fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

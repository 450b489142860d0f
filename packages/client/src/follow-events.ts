/** Follows the events of a workspace over server-sent events: without gaps or repeats, also when the connection breaks in between. */
import { FAULTS, Fault, isFault } from '@warren/protocol';
import { readEventStream } from './event-stream.ts';
import { pause } from './internal/pause.ts';
import { refusalOf } from './read-answer.ts';
import { retryAfterMs } from './repeat-call.ts';
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
  /** After how much silence a connection counts as broken. Default: 45,000, three times as long as the daemon is ever silent. */
  readonly silenceMs?: number | undefined;
};

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5_000;
const REFUSAL_CHARACTERS_MAX = 65_536;
/** The daemon gives a sign of life every 15 seconds: three times that without one, and nobody is there, whatever the network says. */
const SILENCE_MS_MAX = 45_000;

/** Only a broken connection is tried again, and what passes once a stream was there; what else the daemon refuses is thrown. */
export async function* followEvents<Event>(
  transport: Transport,
  headers: Readonly<Record<string, string>>,
  filter: EventFilter,
  { signal, onInterruption, silenceMs = SILENCE_MS_MAX }: FollowOptions,
): AsyncGenerator<Event, void, undefined> {
  let last: string | undefined;
  let pauseMs = PAUSE_MS_MIN;
  while (!signal.aborted) {
    const alarm = new Alarm(silenceMs);
    try {
      const until = AbortSignal.any([signal, alarm.signal]);
      const stream = await open(transport, { ...headers, ...(last !== undefined && { 'last-event-id': last }) }, filter, until);
      for await (const { id, data, retryMs } of readEventStream(alarm.watch(stream.body))) {
        if (signal.aborted) return; // Several events come at once: what came before the signal fired is not handed out after it.
        pauseMs = retryMs === undefined ? PAUSE_MS_MIN : Math.min(Math.max(retryMs, PAUSE_MS_MIN), PAUSE_MS_MAX);
        // Whoever is between us and the daemon may send again what it had sent.
        if (id !== undefined && last !== undefined && isBefore(id, last)) continue;
        const isRepeated = id !== undefined && id === last;
        if (id !== undefined && id !== '') last = id;
        if (data !== '' && !isRepeated) yield parse(data, transport) as Event; // What the daemon sends is by its contract.
      }
      throw new Fault('unavailable', `Cannot follow the events of ${transport.address}: the daemon ended the stream`);
    } catch (error) {
      if (signal.aborted) return;
      const fault = alarm.signal.aborted ? silence(transport, silenceMs, error) : error;
      if (!isFault(fault) || !(fault.code === 'unavailable' || (last !== undefined && FAULTS[fault.code].retry))) throw fault;
      onInterruption?.(fault);
      pauseMs = Math.max(pauseMs, Math.min(retryAfterMs(fault), PAUSE_MS_MAX));
    } finally {
      alarm.stop();
    }
    await pause(pauseMs * (0.5 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }
}

/** Fires when nothing came for too long. */
class Alarm {
  readonly #controller = new AbortController();
  readonly #silenceMs: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
    this.#timer = this.#set();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Not while the reader is at work on what came: that is its own time. */
  async *watch(pieces: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    for await (const piece of pieces) {
      this.stop();
      yield piece;
      this.#timer = this.#set();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #set(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), this.#silenceMs);
  }
}

function silence({ address }: Transport, silenceMs: number, cause: unknown): Fault {
  return new Fault('unavailable', `Cannot follow the events of ${address}: there is no sign of life for ${silenceMs} ms`, { cause });
}

/** Ids of events are whole numbers; of others nothing is known. */
function isBefore(id: string, last: string): boolean {
  return NUMBER.test(id) && NUMBER.test(last) && Number(id) < Number(last);
}

const NUMBER = /^\d{1,15}$/;

function parse(data: string, { address }: Transport): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new Fault('protocol_error', `Cannot understand ${address}: it sends an event that is not JSON`, { cause });
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
  for await (const piece of stream.body) {
    body += piece;
    // No refusal of ours is that long.
    if (body.length > REFUSAL_CHARACTERS_MAX) break;
  }
  throw refusalOf(stream, body, transport.address);
}

function query(filter: EventFilter): string {
  const given = new URLSearchParams({ gaps: 'refuse' });
  for (const [key, value] of Object.entries(filter)) if (value !== undefined) given.set(key, `${value}`);
  return given.toString();
}

/**
 * A hostile guest, at random: valid sessions of frames, mutated in bytes, lengths, types, channels and order, cut anywhere, fed to a client
 * with commands, file operations and pings open. Whatever comes, the host may only answer with faults, and with all of them.
 *
 * WARREN_FUZZ_SEED repeats a run; WARREN_FUZZ_FRAMES makes it longer.
 */
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { isFault } from '@warren/protocol';
import { expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { FRAME, HEADER_BYTES } from './frame-types.ts';
import { Guest } from './guest.ts';
import { GuestClient } from './guest-client.ts';
import { encodeExit } from './test-support/fake-guest.ts';
import { encodeRecord } from './test-support/fake-stat-record.ts';
import { Random } from './test-support/random.ts';
import { u32 } from './test-support/raw-guest.ts';

const SEED = Number(process.env['WARREN_FUZZ_SEED'] ?? 20_260_101);
const FRAMES = Number(process.env['WARREN_FUZZ_FRAMES'] ?? 1_000_000);
const SESSIONS_AT_ONCE = 64;
const RSS_GROWTH_MAX = 400 * 1_048_576;

/** What may end a connection: what the guest did, or that it ended. Never `internal`, which is a defect of ours. */
const REASONS: readonly string[] = ['protocol_error', 'sandbox_gone', 'wall_unavailable'];

/** A connection whose other end is the test. */
class MemoryConnection extends Duplex {
  /** Does not take what the host writes. */
  isStuck = false;

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.isStuck) done();
  }

  feed(bytes: Buffer): void {
    if (!this.destroyed) this.push(bytes);
  }

  hangUp(): void {
    if (!this.destroyed) this.push(null);
  }
}

type Opened = { readonly channel: number; readonly kind: 'command' | 'terminal' | 'read' | 'list' | 'stat' | 'action' };

it(`a hostile guest cannot hurt the host: ${FRAMES} frames, seed ${SEED}`, { timeout: 600_000 }, async () => {
  console.log(`fuzz: WARREN_FUZZ_SEED=${SEED} WARREN_FUZZ_FRAMES=${FRAMES}`);
  const random = new Random(SEED);
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  process.on('uncaughtException', onUnhandled);
  const ends: Record<string, number> = {};
  let frames = 0;
  let rssBefore = 0;
  try {
    while (frames < FRAMES) {
      const sessions = Array.from({ length: SESSIONS_AT_ONCE }, () => new Session(random));
      await turn(); // Now the connections flow: what is fed is read at once, also what is followed by a hang-up.
      for (const session of sessions) frames += session.attack();
      for (const session of sessions) {
        const reason = await session.outcome();
        ends[reason] = (ends[reason] ?? 0) + 1;
      }
      if (unhandled.length > 0) break;
      if (rssBefore === 0 && frames > FRAMES / 5) rssBefore = process.memoryUsage.rss();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.off('unhandledRejection', onUnhandled);
    process.off('uncaughtException', onUnhandled);
  }
  console.log(`fuzz: ${frames} frames; connections ended with ${JSON.stringify(ends)}`);
  expect(unhandled).toEqual([]);
  expect(Object.keys(ends).filter((reason) => !REASONS.includes(reason))).toEqual([]);
  expect(ends['protocol_error'] ?? 0).toBeGreaterThan(FRAMES / 100);
  expect(ends['sandbox_gone'] ?? 0).toBeGreaterThan(FRAMES / 1_000);
  expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(RSS_GROWTH_MAX);
});

class Session {
  readonly #random: Random;
  readonly #connection: MemoryConnection = new MemoryConnection();
  readonly #client: GuestClient;
  readonly #guest: Guest;
  readonly #opened: Opened[] = [];
  /** Everything the host's user waits for. Each must settle. */
  readonly #waiting: Promise<unknown>[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#client = new GuestClient(this.#connection);
    this.#guest = new Guest(this.#client, { cwd: '/', env: { A: 'b' }, user: { uid: 1, gid: 1 }, limits: {} });
    this.#connection.isStuck = random.isBelow(0.1);
    const count = 1 + random.below(4);
    for (let channel = 1; channel <= count; channel++) this.#opened.push({ channel, kind: this.#open() });
  }

  /** Feeds a session and hangs up. Says how many frames it was. */
  attack(): number {
    const random = this.#random;
    const frames = this.#validFrames();
    if (random.isBelow(0.9)) for (let count = 1 + random.below(3); count > 0; count--) mutate(frames, random);
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; ) {
      const length = random.isBelow(0.2) ? 1 + random.below(20) : 1 + random.below(bytes.length);
      this.#connection.feed(Buffer.from(bytes.subarray(at, at + length)));
      at += length;
    }
    switch (random.below(3)) {
      case 0:
        this.#connection.hangUp();
        break;
      case 1:
        this.#guest.end({ by: 'destroyed', detail: 'over' });
        break;
      default:
        this.#connection.destroy();
    }
    return frames.length;
  }

  /** What ended the connection. Fails when something does not settle, or settles with anything but a fault. */
  async outcome(): Promise<string> {
    const reason = await this.#client.closed;
    for (const result of await Promise.allSettled(this.#waiting)) {
      if (result.status === 'rejected' && !isFault(result.reason)) throw result.reason;
    }
    if (!isFault(reason)) throw reason;
    if (reason.code === 'internal') throw reason.cause;
    expect(this.#client.channelsOpen).toBeLessThanOrEqual(this.#opened.length);
    return reason.code;
  }

  /** What was asked for has to be waited for; here that happens later. */
  #ask(...promises: readonly Promise<unknown>[]): void {
    for (const promise of promises) promise.catch(() => {});
    this.#waiting.push(...promises);
  }

  #open(): Opened['kind'] {
    const random = this.#random;
    switch (random.below(9)) {
      case 0: {
        this.#ask(drain(this.#guest.readFile('/f')));
        return 'read';
      }
      case 1:
        this.#ask(this.#guest.list('/d'));
        return 'list';
      case 2:
        this.#ask(this.#guest.stat('/s'));
        return 'stat';
      case 3:
        this.#ask(this.#guest.writeFile('/w', Buffer.alloc(random.below(100_000))));
        return 'action';
      case 4:
        this.#ask(this.#guest.mkdir('/m'));
        return 'action';
      case 5:
        this.#ask(this.#guest.run(['x'], { stdin: 'x'.repeat(random.below(70_000)), outputBytesMax: random.below(5_000) }));
        return 'command';
      default: {
        const isTerminal = random.isBelow(0.3);
        const hasPipe = random.isBelow(0.5);
        const endsTree = random.isBelow(0.3);
        const execution = this.#guest.exec(['x'], {
          ...(isTerminal ? { pty: { rows: 1, columns: 1 } } : {}),
          ...(hasPipe ? { stdin: 'pipe' as const } : {}),
          ...(random.isBelow(0.3) ? { limits: { cpuSeconds: 1, fileBytes: 1 } } : {}),
          endsTree,
        });
        this.#waiting.push(execution.exit, execution.pid); // These may be left alone: nobody must ask.
        if (random.isBelow(0.7)) this.#ask(drain(execution.stdout), drain(execution.stderr, random.below(4)));
        if (random.isBelow(0.3)) execution.kill('SIGKILL', 'tree');
        if (hasPipe) this.#waiting.push(execution.write(Buffer.alloc(random.below(100_000))));
        if (random.isBelow(0.3)) this.#ask(this.#client.ping());
        return isTerminal ? 'terminal' : 'command';
      }
    }
  }

  #validFrames(): Buffer[] {
    const random = this.#random;
    const queues = this.#opened.map((opened) => validChannel(opened, random));
    const frames = [encodeFrame(FRAME.READY, 0)];
    while (queues.some((queue) => queue.length > 0)) {
      const frame = queues[random.below(queues.length)]?.shift();
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }
}

/** What an honest guest could say on one channel. */
function validChannel({ channel, kind }: Opened, random: Random): Buffer[] {
  const frames: Buffer[] = [];
  const isCommand = kind === 'command' || kind === 'terminal';
  const output = (): Buffer =>
    kind === 'list' || kind === 'stat' ? record(random) : Buffer.alloc(1 + random.below(random.isBelow(0.05) ? 60_000 : 300), 'x');
  if (isCommand) frames.push(encodeFrame(FRAME.STARTED, channel, u32(2 + random.below(30_000))));
  if (kind !== 'action') {
    for (let count = kind === 'stat' ? 1 : random.below(12); count > 0; count--) {
      const type = kind === 'command' && random.isBelow(0.4) ? FRAME.STDERR : FRAME.STDOUT;
      frames.push(encodeFrame(type, channel, output()));
    }
  }
  const ends = [encodeFrame(FRAME.STDOUT, channel), encodeFrame(FRAME.STDERR, channel), encodeFrame(FRAME.EXIT, channel, exit(random))];
  while (ends.length > 0) frames.push(...ends.splice(random.below(ends.length), 1));
  return frames;
}

function record(random: Random): Buffer {
  const kind = random.pick(['f', 'd', 'l', 'c', 'b', 'p', 's']);
  return encodeRecord(
    `name ${random.below(1_000)}`,
    { kind, mode: 0o644, uid: 1, gid: 1, size: 5, mtimeMs: 7 },
    kind === 'l' ? 'target' : '',
  );
}

function exit(random: Random): Buffer {
  switch (random.below(4)) {
    case 0:
      return encodeExit({ kind: 'signalled', signal: 1 + random.below(64) });
    case 1:
      return encodeExit({ kind: 'failed', stage: 'file', call: 'open', path: '/x', errno: 1 + random.below(133) });
    default:
      return encodeExit({ kind: 'exited', code: random.below(3) });
  }
}

function mutate(frames: Buffer[], random: Random): void {
  const at = random.below(frames.length);
  const frame = Buffer.from(frames[at] ?? []);
  if (frame.length < HEADER_BYTES) return; // One that was cut off before.
  switch (random.below(12)) {
    case 0: // A byte of the header.
      frame[random.below(HEADER_BYTES)] = random.below(256);
      break;
    case 1: // A byte anywhere.
      frame[random.below(frame.length)] = random.below(256);
      break;
    case 2: // A bit anywhere.
      frame[random.below(frame.length)]! ^= 1 << random.below(8); // Within the frame.
      break;
    case 3: // A length that is a little or very wrong.
      frame.writeUInt32LE(random.isBelow(0.5) ? random.below(2 ** 32) : Math.max(0, frame.readUInt32LE(0) + random.below(9) - 4), 0);
      break;
    case 4: // Another type that exists.
      frame[4] = random.pick(Object.values(FRAME) as unknown as [number, ...number[]]);
      break;
    case 5: // Another channel.
      frame.writeUInt32LE(random.isBelow(0.7) ? random.below(6) : random.below(2 ** 32), 8);
      break;
    case 6: // Again.
      frames.splice(random.below(frames.length + 1), 0, frame);
      return;
    case 7: // Not at all.
      frames.splice(at, 1);
      if (frames.length === 0) frames.push(frame);
      return;
    case 8: {
      // Somewhere else.
      frames.splice(at, 1);
      frames.splice(random.below(frames.length + 1), 0, frame);
      return;
    }
    case 9: // Cut off, here or at the end.
      frames[at] = frame.subarray(0, random.below(frame.length));
      if (random.isBelow(0.5)) frames.length = at + 1;
      return;
    case 10: // Something of its own.
      frames.splice(
        at,
        0,
        encodeFrame(
          random.pick([FRAME.CREDIT, FRAME.STDOUT, FRAME.EXIT, FRAME.PONG, FRAME.STARTED, FRAME.FAILED]),
          random.below(5),
          noise(random),
        ),
      );
      return;
    default: // Noise.
      frames.splice(at, 0, noise(random));
      return;
  }
  frames[at] = frame;
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)));
}

async function drain(stream: AsyncIterable<Uint8Array>, chunksMax = Number.POSITIVE_INFINITY): Promise<void> {
  let chunks = 0;
  for await (const _ of stream) if (++chunks > chunksMax) break;
}

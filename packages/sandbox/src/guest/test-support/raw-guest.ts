/** Test support: a guest that does nothing by itself. A test reads what the host sent and says each frame of the answer. */
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { GuestDefaults } from '../command-options.ts';
import { encodeFrame, FrameDecoder } from '../frame.ts';
import { FRAME, FROM_HOST } from '../frame-types.ts';
import { Guest } from '../guest.ts';
import { GuestClient } from '../guest-client.ts';
import { encodeExit } from './fake-guest.ts';
import type { FakeEnd } from './fake-process.ts';

export type HostFrame = { readonly type: number; readonly channel: number; readonly payload: Buffer };

export class RawGuest {
  readonly client: GuestClient;
  readonly guest: Guest;
  /** The guest's end of the connection. */
  readonly connection: Duplex;
  /** Everything the host has sent and `take` has not taken. */
  readonly frames: HostFrame[] = [];

  constructor(defaults: Partial<GuestDefaults> = {}, isReady = true) {
    const [host, connection] = duplexPair();
    this.connection = connection;
    const decoder = new FrameDecoder(FROM_HOST, { receiveFrame: (type, channel, payload) => this.frames.push({ type, channel, payload }) });
    connection.on('data', (chunk: Buffer) => decoder.push(chunk));
    connection.on('error', () => {});
    this.client = new GuestClient(host);
    this.guest = new Guest(this.client, { cwd: '/', env: {}, user: { uid: 1, gid: 1 }, limits: {}, ...defaults });
    if (isReady) this.send(FRAME.READY, 0);
  }

  send(type: number, channel: number, payload: Uint8Array | string = ''): void {
    this.connection.write(encodeFrame(type, channel, Buffer.from(payload)));
  }

  started(channel: number, pid = 7): void {
    this.send(FRAME.STARTED, channel, u32(pid));
  }

  exit(channel: number, end: FakeEnd = { kind: 'exited', code: 0 }, usage?: readonly [number, number, number]): void {
    this.send(FRAME.EXIT, channel, encodeExit(end, usage));
  }

  ends(channel: number): void {
    this.send(FRAME.STDOUT, channel);
    this.send(FRAME.STDERR, channel);
  }

  /** What the host sent until now. */
  async take(): Promise<readonly HostFrame[]> {
    await settle();
    return this.frames.splice(0);
  }

  /** What the host sent of this type until now; the rest is forgotten. */
  async takeType(type: number): Promise<readonly HostFrame[]> {
    return (await this.take()).filter((frame) => frame.type === type);
  }
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, index * 4);
  });
  return bytes;
}

/** Lets everything that is on its way in memory arrive. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

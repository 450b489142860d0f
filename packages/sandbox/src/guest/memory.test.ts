/** How much memory a guest can make the host use. */
import { duplexPair } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { heldBytes } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { FRAME, WINDOW_BYTES } from './frame-types.ts';
import { Guest } from './guest.ts';
import { GuestClient } from './guest-client.ts';
import { FakeGuest } from './test-support/fake-guest.ts';
import { scriptedProcess } from './test-support/fake-process.ts';
import { RawGuest, settle } from './test-support/raw-guest.ts';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;

function startFlood(bytes: number): { readonly guest: Guest; readonly fake: FakeGuest } {
  function* flood(): Generator<Buffer> {
    for (let sent = 0; sent < bytes; sent += 65_536) yield Buffer.allocUnsafe(65_536);
  }
  const [host, connection] = duplexPair();
  const fake = new FakeGuest(connection, { programs: { flood: () => scriptedProcess(flood()) } });
  const guest = new Guest(new GuestClient(host), { cwd: '/', env: {}, user: { uid: 1, gid: 1 }, limits: {} });
  return { guest, fake };
}

describe('A guest that says very much', () => {
  it('passes 1 GiB on in little memory', { timeout: 60_000 }, async () => {
    const { guest, fake } = startFlood(GIB);
    const before = process.memoryUsage.rss();
    let most = 0;
    let bytes = 0;
    let chunks = 0;
    for await (const chunk of guest.exec(['flood']).stdout) {
      bytes += chunk.length;
      if (++chunks % 512 === 0) most = Math.max(most, process.memoryUsage.rss() - before);
    }
    expect(bytes).toBe(GIB);
    expect(most).toBeLessThan(300 * MIB);
    expect(fake.violation).toBeUndefined();
    fake.close();
  });

  it('waits for a slow reader, who loses nothing', async () => {
    const { guest, fake } = startFlood(8 * MIB);
    const execution = guest.exec(['flood']);
    let bytes = 0;
    let chunks = 0;
    for await (const chunk of execution.stdout) {
      bytes += chunk.length;
      if (chunks++ % 8 === 0) await sleep(3);
    }
    expect(bytes).toBe(8 * MIB);
    expect((await execution.exit).kind).toBe('exited');
    expect(fake.violation).toBeUndefined();
    fake.close();
  });

  it('is stopped by the limit of a run, having cost no more than that', async () => {
    const { guest, fake } = startFlood(GIB);
    const { exit, stdout } = await guest.run(['flood'], { outputBytesMax: 3 * MIB + 1 });
    expect(exit).toMatchObject({ kind: 'stopped', by: 'output' });
    expect(stdout.length).toBe(3 * MIB + 1);
    fake.close();
  });
});

describe('A guest that cuts very fine', () => {
  it('costs a reader that waits little more than what it said', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    raw.started(1);
    await settle();
    const before = heldBytes();
    const byte = encodeFrame(FRAME.STDOUT, 1, Buffer.from('x'));
    const many = Buffer.concat(new Array<Buffer>(4_096).fill(byte));
    for (let sent = 0; sent < WINDOW_BYTES; sent += 4_096) {
      raw.connection.write(Buffer.from(many)); // Each in a chunk of its own, which nothing may keep alive.
      await settle();
    }
    expect(heldBytes() - before).toBeLessThan(2 * MIB);
    raw.ends(1);
    let chunks = 0;
    let bytes = 0;
    for await (const chunk of execution.stdout) {
      chunks++;
      bytes += chunk.length;
    }
    expect(bytes).toBe(WINDOW_BYTES);
    expect(chunks).toBeLessThan(40);
  });

  it('costs a run that collects little more than what it said', async () => {
    const raw = new RawGuest();
    const running = raw.guest.run(['x']);
    raw.started(1);
    const many = Buffer.concat(new Array<Buffer>(4_096).fill(encodeFrame(FRAME.STDERR, 1, Buffer.from('x'))));
    const before = heldBytes();
    for (let sent = 0; sent < MIB; sent += 4_096) {
      raw.connection.write(Buffer.from(many));
      await settle();
    }
    expect(heldBytes() - before).toBeLessThan(4 * MIB);
    raw.exit(1);
    raw.ends(1);
    expect((await running).stderr.length).toBe(MIB);
  });

  it('costs one payload a connection when it never finishes one', async () => {
    const raws = Array.from({ length: 50 }, () => new RawGuest());
    const before = heldBytes();
    for (const raw of raws) raw.connection.write(encodeFrame(FRAME.STDOUT, 1, Buffer.alloc(65_536)).subarray(0, 20));
    await settle();
    expect(heldBytes() - before).toBeLessThan(50 * 65_536 + 2 * MIB);
    expect(raws.every((raw) => !raw.client.isClosed)).toBe(true);
  });
});

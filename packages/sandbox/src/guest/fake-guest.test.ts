import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, it } from 'vitest';
import { SIGNALS } from '../signals.ts';
import { Guest } from './guest.ts';
import { GuestClient } from './guest-client.ts';
import { FakeGuest } from './test-support/fake-guest.ts';
import { type GuestSubject, guestConformance } from './test-support/guest-conformance.ts';

const GAPS = {
  pty: 'the fake guest has no terminals',
  usage: 'the fake guest makes its figures up',
  tree: 'the fake guest knows only process groups',
};

async function subject([host, guest]: readonly [Duplex, Duplex]): Promise<GuestSubject> {
  const directory = await mkdtemp(join(tmpdir(), 'warren-guest-'));
  const fake = new FakeGuest(guest, { spawn, signals: SIGNALS });
  const client = new GuestClient(host);
  await client.ready;
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  return {
    guest: new Guest(client, { cwd: directory, env, user: { uid: 1_000, gid: 1_000 }, limits: {} }),
    directory,
    gaps: GAPS,
    async [Symbol.asyncDispose]() {
      host.destroy();
      fake.close();
      await rm(directory, { recursive: true, force: true });
      if (fake.violation !== undefined) throw fake.violation;
    },
  };
}

async function socketPair(): Promise<readonly [Duplex, Duplex]> {
  const server = createServer();
  const path = `\0warren-fake-guest-${process.pid}-${Math.random()}`;
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const host = netConnect({ path });
  const guest = await accepted;
  server.close();
  return [host, guest];
}

guestConformance({ describe, it }, 'The fake guest in memory', async () => await subject(duplexPair()));
guestConformance({ describe, it }, 'The fake guest over a unix socket', async () => await subject(await socketPair()));

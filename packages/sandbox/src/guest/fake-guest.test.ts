import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, it } from 'vitest';
import { SIGNALS } from '../signals.ts';
import { Guest } from './guest.ts';
import { GuestClient } from './guest-client.ts';
import { FakeGuest } from './test-support/fake-guest.ts';
import { scriptedProcess } from './test-support/fake-process.ts';
import { type GuestSubject, guestConformance } from './test-support/guest-conformance.ts';

const GAPS = {
  pty: 'the fake guest has no terminals',
  usage: 'the fake guest makes its figures up',
  tree: 'the fake guest knows only process groups',
};

async function subject([host, guest]: readonly [Duplex, Duplex]): Promise<GuestSubject> {
  const directory = await mkdtemp(join(tmpdir(), 'warren-guest-'));
  const programs = { true: () => scriptedProcess([]) }; // So that running it a thousand times does not take long.
  const fake = new FakeGuest(guest, { spawn, signals: SIGNALS, programs });
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

guestConformance({ describe, it }, 'The fake guest', async () => await subject(duplexPair()));

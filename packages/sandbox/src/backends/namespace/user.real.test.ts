/** Sandboxes of a user without rights, in a process of its own: as root, nobody; else whoever runs the tests. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { footprint, leftBehind, markOfHost } from './test-support/footprint.ts';
import { NOBODY, PublicLauncher } from './test-support/nobody.ts';
import { CASES } from './test-support/user-cases.ts';

type Answer = { readonly title: string; readonly skipped?: string; readonly error?: string };

let launcher: PublicLauncher;
let host: ChildProcess;
let before: readonly string[];

beforeAll(async () => {
  launcher = await PublicLauncher.create();
  host = fork(join(import.meta.dirname, 'test-support/user-host.ts'), [launcher.path, `${NOBODY}`], {
    execArgv: ['--conditions=warren-source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  before = footprint([markOfHost(host.pid)]);
  await once(host, 'message');
});

afterAll(async () => {
  const exited = once(host, 'exit');
  host.disconnect();
  await exited;
  const left = await leftBehind([launcher.path, markOfHost(host.pid)], before);
  await launcher[Symbol.asyncDispose]();
  if (left.length > 0) throw new Error(`It left behind: ${left.join(', ')}`);
});

async function ask(title: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onExit = (code: number | null, signal: string | null): void => reject(new Error(`The host of the user ended: ${signal ?? code}`));
  host.once('exit', onExit);
  host.once('message', resolve);
  host.send(title);
  try {
    return await promise;
  } finally {
    host.removeListener('exit', onExit);
    host.removeListener('message', resolve);
  }
}

describe('A sandbox of a user', () => {
  for (const { title } of CASES) {
    it(title, async ({ skip }) => {
      const { skipped, error } = await ask(title);
      if (skipped !== undefined) skip(true, skipped);
      if (error !== undefined) throw new Error(error);
    });
  }
});

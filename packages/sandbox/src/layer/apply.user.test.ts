import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { overlayProblem } from './test-support/layer-fixture.ts';
import type { Snapshot } from './test-support/overlay-helper.ts';

type Found = {
  readonly uid: number;
  readonly paths: readonly string[];
  readonly original: Snapshot;
  readonly merged: Snapshot;
  readonly applied: Snapshot;
  readonly undone: Snapshot;
};

it('an ordinary user reviews, applies and undoes also what an agent shut', { timeout: 60_000 }, async ({ skip }) => {
  skip(process.geteuid?.() !== 0, 'needs root, to become another user');
  const problem = await overlayProblem();
  skip(problem !== undefined, problem ?? '');

  const script = join(import.meta.dirname, 'test-support', 'ordinary-user-child.ts');
  const user = ['--reuid=1000', '--regid=1000', '--clear-groups'];
  const { stdout } = await promisify(execFile)('setpriv', [...user, process.execPath, '--conditions=warren-source', script], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
  });
  const found = JSON.parse(stdout) as Found;
  expect(found.uid).toBe(1000);
  expect(found.paths).toEqual(['closed/empty', 'closed/file', 'closed/gone', 'closed/new', 'private', 'shut', 'shut/inside']);
  expect(found.applied).toEqual(found.merged);
  expect(found.undone).toEqual(found.original);
});

/** The programs of docs/library.md run as they stand there, and print what is said below them. */
import { chmodSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { TestDaemon } from '../../packages/cli/src/e2e/daemon.ts';
import { User } from '../../packages/cli/src/e2e/warren.ts';
import { finish, startNode } from '../package/start-node.ts';

const PAGE = readFileSync(resolve(import.meta.dirname, '../../docs/library.md'), 'utf8');
const EXAMPLES = new Map(
  [...PAGE.matchAll(/^```js\n\/\/ ([\w-]+)\.mjs[^\n]*\n(.*?)^```/gms)].map(([, name = '', program = '']) => [name, program] as const),
);

async function runExample(name: string, stateDir: string): Promise<void> {
  const program = EXAMPLES.get(name) ?? '';
  const [, printed] = /^\/\/ prints: (.*)$/m.exec(program) ?? [];
  const words = ['--conditions=warren-source', '--input-type=module', '-e', program, '-', stateDir];
  expect(await finish(startNode(words, import.meta.dirname, {}))).toEqual({ code: 0, stdout: `${printed}\n`, stderr: '' });
}

it('has these programs, and no others', () => {
  expect([...EXAMPLES.keys()]).toEqual(['library', 'shared', 'skills', 'runtime']);
  expect(PAGE.match(/^```js$/gm)).toHaveLength(EXAMPLES.size);
});

it.each(['library', 'skills', 'runtime'])('%s runs as it stands', async (name) => {
  await using directory = await TemporaryDirectory.create();
  chmodSync(directory.path, 0o755);
  await runExample(name, directory.join('state'));
});

it('shared runs as it stands, beside a daemon', async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user, ['--no-tcp']);
  await runExample('shared', user.state);
  expect(daemon.document.pid).toBeGreaterThan(0);
  const listed = await user.warren(['memory', 'list', '--workspace', 'bob']);
  expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('Bob likes coffee')]);
});

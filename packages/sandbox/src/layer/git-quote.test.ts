import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { pathFromBytes } from './byte-path.ts';
import { quoteForGit } from './git-quote.ts';

it('quotes names exactly as git does', async () => {
  await using directory = await TemporaryDirectory.create();
  const names = [
    'plain',
    'a b',
    'q"q',
    'back\\slash',
    'tab\t',
    'new\nline',
    'caf\xc3\xa9',
    '\xff',
    '\x01\x1b\x7f',
    '\x07\b\v\f\r',
    '-dash',
    "it's",
  ];
  for (const name of names) writeFileSync(Buffer.from(`${directory.path}/${name}`, 'latin1'), '');
  execFileSync('git', ['init', '-q'], { cwd: directory.path });
  const listed = execFileSync('git', ['-c', 'core.quotePath=true', 'ls-files', '-o'], { cwd: directory.path, encoding: 'latin1' });
  const ours = names.map((name) => quoteForGit(pathFromBytes(Buffer.from(name, 'latin1'))));
  expect(ours.sort()).toEqual(listed.trimEnd().split('\n').sort());
});

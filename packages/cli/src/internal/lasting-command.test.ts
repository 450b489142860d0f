import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { lastingCommand } from './lasting-command.ts';

const PROGRAM = ['/opt/node', '/opt/warren.cjs'];

it('is the name where PATH finds it for everybody, else the program itself', async () => {
  await using directory = await TemporaryDirectory.create();
  const put = (folder: string, mode: number): string => {
    const path = directory.join(folder);
    mkdirSync(path, { recursive: true });
    writeFileSync(`${path}/warren`, '');
    chmodSync(`${path}/warren`, mode);
    return path;
  };
  const bin = put('bin', 0o755);
  expect(lastingCommand('warren', `/nowhere:${bin}`, PROGRAM)).toEqual(['warren']);
  expect(lastingCommand('warren', put('node_modules/.bin', 0o755), PROGRAM)).toEqual(PROGRAM);
  expect(lastingCommand('warren', put('notes', 0o644), PROGRAM)).toEqual(PROGRAM);
  mkdirSync(directory.join('folder/warren'), { recursive: true });
  expect(lastingCommand('warren', directory.join('folder'), PROGRAM)).toEqual(PROGRAM);
  expect(lastingCommand('warren', '::.', PROGRAM)).toEqual(PROGRAM);
  expect(lastingCommand('warren', undefined, PROGRAM)).toEqual(PROGRAM);
});

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { placeStateFiles } from './state-files.ts';

const file = (path: string, text = 'new') => ({ path, bytes: Buffer.from(text) });

describe('files of a backup', () => {
  it('come where they belong, private, and keep what was there of the vault', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('vault.json'), 'old');
    const files = ['config.yaml', 'policies/system.yaml', 'policies/workspaces/acme/agents/ada.yaml', 'vault.json', 'vault.key'];
    const done = placeStateFiles(
      directory.path,
      files.map((path) => file(path)),
      'now',
    );
    expect(done).toEqual({ placed: files, kept: [directory.join('vault.json.before-restore-now')], left: [] });
    for (const path of files) {
      expect([path, readFileSync(directory.join(path), 'utf8'), statSync(directory.join(path)).mode & 0o777]).toEqual([path, 'new', 0o600]);
    }
    expect(statSync(directory.join('policies/workspaces')).mode & 0o777).toBe(0o700);
    expect(readFileSync(directory.join('vault.json.before-restore-now'), 'utf8')).toBe('old');
  });

  it('change no settings that are there, and mix no policies', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('config.yaml'), 'mine');
    mkdirSync(directory.join('policies'));
    writeFileSync(directory.join('policies/workspace.yaml'), 'mine');
    const done = placeStateFiles(directory.path, [file('config.yaml'), file('hooks.yaml'), file('policies/system.yaml')], 'now');
    expect(done).toEqual({ placed: ['hooks.yaml'], kept: [], left: ['config.yaml', 'policies/system.yaml'] });
    expect([readFileSync(directory.join('config.yaml'), 'utf8'), existsSync(directory.join('policies/system.yaml'))]).toEqual([
      'mine',
      false,
    ]);
  });

  it.each([
    '../x',
    '/etc/x',
    'policies/../../x.yaml',
    'policies/workspaces/../workspace.yaml',
    'policies/workspaces//workspace.yaml',
    'policies/agents/a\0.yaml',
    'policies/agents/..\\x.yaml',
    'policies/note.txt',
    'vault.json/x',
    'kernel.db',
    'audit.key',
    'workspaces/acme/audit.key',
    '.config.yaml',
    '',
  ])('that no backup has are refused before any is placed: %j', async (path) => {
    await using directory = await TemporaryDirectory.create();
    const state = directory.join('state');
    mkdirSync(state);
    expect(() => placeStateFiles(state, [file('config.yaml'), file(path)], 'now')).toThrow('no backup has such a file');
    expect([readdirSync(directory.path), readdirSync(state)]).toEqual([['state'], []]);
  });

  it('are not written through a link that stands in the place of one', async () => {
    await using directory = await TemporaryDirectory.create();
    const state = directory.join('state');
    mkdirSync(state);
    writeFileSync(directory.join('outside'), 'mine');
    symlinkSync(directory.join('outside'), `${state}/vault.json`);
    placeStateFiles(state, [file('vault.json')], 'now');
    expect([readFileSync(directory.join('outside'), 'utf8'), readFileSync(`${state}/vault.json`, 'utf8')]).toEqual(['mine', 'new']);
  });
});

import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openStateDirectory, stateDirectoryPath } from './state-directory.ts';

describe('stateDirectoryPath', () => {
  it.each([
    [{ WARREN_STATE: '/x/y', HOME: '/h' }, 0, '/x/y'],
    [{ HOME: '/root', XDG_STATE_HOME: '/s' }, 0, '/var/lib/warren'],
    [{ HOME: '/h', XDG_STATE_HOME: '/s' }, 1000, '/s/warren'],
    [{ HOME: '/h', XDG_STATE_HOME: 'relative' }, 1000, '/h/.local/state/warren'],
    [{ HOME: '/h', WARREN_STATE: '' }, 1000, '/h/.local/state/warren'],
  ])('with %j as user %i is %s', (environment, uid, expected) => {
    expect(stateDirectoryPath({ environment, uid })).toBe(expected);
  });

  it('refuses a relative WARREN_STATE', () => {
    expect(() => stateDirectoryPath({ environment: { WARREN_STATE: 'state' } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

describe('openStateDirectory', () => {
  it('makes a directory that only we can look into', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = openStateDirectory({ environment: { WARREN_STATE: temporary.join('a', 'b') } });
    expect(path).toBe(temporary.join('a', 'b'));
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(openStateDirectory({ environment: { WARREN_STATE: path } })).toBe(path);
  });

  it('refuses what is no directory, naming the path and what to do', async () => {
    await using temporary = await TemporaryDirectory.create();
    writeFileSync(temporary.join('file'), '');
    for (const path of [temporary.join('file'), temporary.join('file', 'below')]) {
      expect(() => openStateDirectory({ environment: { WARREN_STATE: path } })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', details: { path, next: expect.stringContaining('WARREN_STATE') } }),
      );
    }
  });

  it.each(['/proc/warren', '/proc/warren/below'])('refuses %s, where no directory can be made', (path) => {
    expect(() => openStateDirectory({ environment: { WARREN_STATE: path } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', details: { path, next: expect.stringContaining('WARREN_STATE') } }),
    );
  });

  it('refuses a directory that others may write to', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = temporary.join("it's");
    mkdirSync(path);
    chmodSync(path, 0o777);
    expect(() => openStateDirectory({ environment: { WARREN_STATE: path } })).toThrow(
      expect.objectContaining({ code: 'permission_denied', message: expect.stringContaining(`chmod 700 '${temporary.path}/it'\\''s'`) }),
    );
  });

  it('refuses a directory of somebody else', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'needs root, to give a directory away');
    await using temporary = await TemporaryDirectory.create();
    mkdirSync(temporary.join('theirs'));
    chownSync(temporary.join('theirs'), 12_345, 12_345);
    expect(() => openStateDirectory({ environment: { WARREN_STATE: temporary.join('theirs') } })).toThrow(
      expect.objectContaining({ code: 'permission_denied', message: expect.stringContaining('belongs to user 12345') }),
    );
  });
});

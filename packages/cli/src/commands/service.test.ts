import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { serviceInstall, systemdUnit } from './service.ts';

const PROGRAM = ['/usr/bin/node', '/opt/warren/bin/warren.cjs'];

describe('service install', () => {
  it('prints a unit, and the state directory it is for', async () => {
    const host = new FakeHost({ env: { WARREN_STATE: '/srv/agents' } });
    expect(await serviceInstall({ print: true }, host, { program: PROGRAM, uid: 0 })).toBe(0);
    expect(host.stdout.text).toContain('ExecStart=/usr/bin/node /opt/warren/bin/warren.cjs serve --state /srv/agents\n');
    expect(host.stdout.text).toContain('ReadWritePaths=/srv/agents\n');
  });

  it('installs nothing, and says how to', async () => {
    const refused = await serviceInstall({}, new FakeHost(), { program: PROGRAM, uid: 0 }).catch((error: unknown) => error);
    expect(isFault(refused, 'unsupported') && refused.details?.['fix']).toContain(
      'warren service install --print > /etc/systemd/system/warren.service',
    );
  });
});

/** What systemd says about a unit that starts this program. */
async function complaints(unit: (program: string) => string, scope: readonly string[]): Promise<readonly string[]> {
  await using directory = await TemporaryDirectory.create();
  const program = directory.join('node');
  await writeFile(program, '#!/bin/sh\n');
  await chmod(program, 0o755);
  const path = directory.join('warren.service');
  await writeFile(path, unit(program));
  const { stderr } = spawnSync('systemd-analyze', ['verify', ...scope, '--man=no', path], {
    encoding: 'utf8',
    env: { ...process.env, XDG_RUNTIME_DIR: directory.path },
  });
  return stderr.split('\n').filter((line) => line.includes('warren.service'));
}

describe('systemdUnit', () => {
  it('lets the system make the directory that is usual for root', () => {
    expect(systemdUnit('/var/lib/warren', { program: PROGRAM, uid: 0 })).toContain('StateDirectory=warren\nStateDirectoryMode=0700\n');
  });

  it('does not start again what cannot be better the second time', () => {
    expect(systemdUnit('/x', { program: PROGRAM, uid: 0 })).toContain('RestartPreventExitStatus=2 3\n');
  });

  it('quotes what systemd would read otherwise', () => {
    const unit = systemdUnit('/srv/100% "mine" $HOME', { program: PROGRAM, uid: 0 });
    expect(unit).toContain('serve --state "/srv/100%% \\"mine\\" $$HOME"\n');
  });

  it('asks for nothing that a user may not, when a user prints it', () => {
    const unit = systemdUnit('/home/a/.local/state/warren', { program: PROGRAM, uid: 1_000 });
    expect(unit).not.toMatch(/^(?:Protect|StateDirectory|ReadWritePaths|NoNewPrivileges|SystemCall|Restrict|Lock)/m);
    expect(unit).toContain('WantedBy=default.target');
  });
});

describe('systemd', () => {
  beforeEach(({ skip }) =>
    skip(spawnSync('systemd-analyze', ['--version']).status !== 0, 'systemd-analyze is not installed: apt-get install systemd'),
  );

  it.each([
    ['the system', '/var/lib/warren', 0, ['--system']],
    ['a directory of its own', '/srv/agents with blanks', 0, ['--system']],
    ['a user', '/home/a/warren', 1_000, ['--user']],
  ])('understands the unit for %s', async (_, state, uid, scope) => {
    const unit = (program: string): string => systemdUnit(state, { program: [program, '/opt/warren.cjs'], uid });
    expect(await complaints(unit, scope)).toEqual([]);
    // It would have noticed.
    expect(await complaints((program) => unit(program).replace('KillMode=mixed', 'KillMode=mixd'), scope)).toHaveLength(1);
  });
});

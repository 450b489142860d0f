import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainFailure } from './explain-failure.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../../../../launcher');

const explain = (stage: string, call = '', error = 'EPERM') => explainFailure({ stage, call, path: '', errno: 1, error });

describe('explainFailure', () => {
  it('knows every stage of the launcher at which a wall can be missing', () => {
    // In these two the same helper names only the call.
    const sources = readdirSync(LAUNCHER).filter((name) => name.endsWith('.c') && name !== 'cgroup.c' && name !== 'files.c');
    const stages = sources.flatMap((name) =>
      [...readFileSync(join(LAUNCHER, name), 'utf8').matchAll(/\b(?:give_up|fail|failed|fail_call)\((?:failure, )?"([a-z_]+)", /g)].map(
        ([, stage]) => stage ?? '',
      ),
    );
    expect(stages.length).toBeGreaterThan(50);
    // The first two are about the command of `warren-launcher run`; the walls of the others have the same name.
    const own = new Set(['cwd', 'exec', 'descriptors', 'namespaces', 'capabilities', 'landlock', 'seccomp']);
    expect([...new Set(stages).difference(own)].filter((stage) => explain(stage).wall === stage)).toEqual([]);
    expect(explain('cgroup').wall).toBe('cgroups');
  });

  it('says what to do', () => {
    expect(explain('namespaces', 'clone3', 'EPERM').fix).toContain('user namespaces');
    expect(explain('namespaces', 'clone3', 'ENOSPC').fix).toContain('max_user_namespaces');
    expect(explain('identity', 'exec', 'ENOENT').fix).toContain('uidmap');
    expect(explain('identity', 'bind', 'EUSERS').fix).toContain('4096');
    expect(explain('idmap', 'mount_setattr', 'EINVAL').fix).toContain('ext4');
    expect(explain('mount', 'overlay', 'EROFS').fix).toContain('WARREN_STATE');
    expect(explain('mount', 'proc', 'EPERM').fix).toContain('/proc');
    expect(explain('prepare', 'socketpair', 'EMFILE').fix).toContain('ulimit');
  });

  it('answers to any stage with words', () => {
    const words = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'));
    fc.assert(
      fc.property(words, words, words, (stage, call, error) => {
        const { wall, fix } = explain(stage, call, error);
        expect([typeof wall, typeof fix]).toEqual(['string', 'string']);
        expect(fix).not.toBe('');
      }),
    );
  });
});

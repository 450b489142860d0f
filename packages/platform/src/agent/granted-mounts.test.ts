import { describe, expect, it } from 'vitest';
import { grantedMounts } from './granted-mounts.ts';
import type { PathGrant } from './path-grant.ts';

const mounts = (...grants: readonly string[]): readonly string[] =>
  grantedMounts(
    grants.map((grant): PathGrant => {
      const [mode, prefix = ''] = grant.split(' ');
      return { mode: mode as PathGrant['mode'], prefix }; // Written below.
    }),
  ).map(({ path, isWritable }) => `${isWritable ? 'rw' : 'r'} ${path}`);

describe('grantedMounts', () => {
  it('is what was granted of the workspace, parents first', () => {
    expect(mounts('rw /workspace')).toEqual(['rw ']);
    expect(mounts('rw /')).toEqual(['rw ']);
    expect(mounts('r /workspace/b/c', 'rw /workspace/a', 'rw /tmp', 'r /workspaces')).toEqual(['rw a', 'r b/c']);
  });

  it('leaves out what adds nothing and keeps a writable place in a read-only one', () => {
    expect(mounts('rw /workspace', 'r /workspace/a', 'rw /workspace/b')).toEqual(['rw ']);
    expect(mounts('r /workspace', 'rw /workspace/a', 'r /workspace/a/b', 'rw /workspace/a/b')).toEqual(['r ', 'rw a']);
    expect(mounts('r /workspace/a', 'rw /workspace/a')).toEqual(['rw a']);
    expect(mounts('rw /workspace/ab', 'rw /workspace/a')).toEqual(['rw a', 'rw ab']);
  });
});

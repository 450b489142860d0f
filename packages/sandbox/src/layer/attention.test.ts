import { expect, it } from 'vitest';
import { attentionOf, namesGit } from './attention.ts';
import { parsePath } from './byte-path.ts';
import type { PathState } from './path-state.ts';

const FILE: PathState = { kind: 'file', mode: 0o644, size: 1, ino: 1n, mtimeNs: 0n, ctimeNs: 0n };
const LINK: PathState = { kind: 'symlink', target: parsePath('x') };
const DIRECTORY: PathState = { kind: 'directory', mode: 0o755 };

it.each([
  ['.git/hooks/pre-commit', FILE],
  ['.git/hooks', DIRECTORY],
  ['.git/hooks', LINK],
  ['.git/config', FILE],
  ['.git/config', undefined],
  ['.git/config.worktree', FILE],
  ['.git/commondir', FILE],
  ['.git', FILE],
  ['.git', LINK],
  ['sub/.git', FILE],
  ['sub/.GIT/Config', FILE],
  ['.git/modules/a/b/config', FILE],
  ['.git/modules/a/hooks/post-checkout', FILE],
  ['.git/worktrees/w/gitdir', FILE],
  ['.git/info', LINK],
  ['.git/refs/heads/x', LINK],
])('points out %s', (path, after) => expect(attentionOf(parsePath(path), after)).toBeDefined());

it.each([
  ['.git', DIRECTORY],
  ['.git', undefined],
  ['.git/HEAD', FILE],
  ['.git/objects/ab/cd', FILE],
  ['.git/refs/heads/config', FILE],
  ['.git/index', undefined],
  ['.github/config', FILE],
  ['git/hooks/x', FILE],
  ['hooks/x', FILE],
  ['config', LINK],
])('says nothing about %s', (path, after) => expect(attentionOf(parsePath(path), after)).toBeUndefined());

it('knows a path that was meant for git', () => {
  expect(['.git', '.git/config', 'sub/.git/hooks'].map((path) => namesGit(parsePath(path)))).toEqual([true, true, true]);
  expect(['', 'sub', '.github'].map((path) => namesGit(parsePath(path)))).toEqual([false, false, false]);
});

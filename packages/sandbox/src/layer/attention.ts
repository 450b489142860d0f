/**
 * Changes that make the host run something, or believe something, at its next `git` command. A repository is data to most people, but its
 * hooks are programs, and its config names programs (core.fsmonitor, core.sshCommand, core.pager, aliases, filters, credential helpers). An
 * agent that only ever wrote into its workspace would so run code outside the walls, as the person who applied the layer and looked at the
 * status. So these paths are pointed out, and apply leaves them alone unless they are named or forced.
 */
import type { BytePath } from './byte-path.ts';
import type { PathState } from './path-state.ts';

/** Below `modules/` and `worktrees/` lie the directories of further repositories, under names of any depth. */
const NESTED = new Set(['modules', 'worktrees']);
/** The last two say where git finds the rest, config and hooks included (gitrepository-layout(5)). */
const SETTINGS = new Set(['config', 'config.worktree', 'commondir', 'gitdir']);

/** Why a change deserves a second look, in words; `undefined` for all others. */
export function attentionOf(path: BytePath, after: PathState | undefined): string | undefined {
  const inside = insideGit(path);
  if (inside === undefined) return undefined;
  if (inside.length === 0) {
    return after?.kind === 'file' || after?.kind === 'symlink' ? 'it sends git to settings elsewhere' : undefined;
  }
  if (after?.kind === 'symlink') return 'a link inside .git can bring in settings from elsewhere';
  const isNested = NESTED.has(inside[0] ?? '');
  if (inside[0] === 'hooks' || (isNested && inside.includes('hooks'))) return 'git runs hooks on the host';
  if ((isNested || inside.length === 1) && SETTINGS.has(inside.at(-1) ?? '')) return 'git settings can name programs to run on the host';
  return undefined;
}

/** Whether somebody who wrote this path meant what is inside a repository's own directory. */
export function namesGit(path: BytePath): boolean {
  return insideGit(path) !== undefined;
}

/** The names below the first `.git` of a path, in any case: some file systems ignore it. */
function insideGit(path: BytePath): readonly string[] | undefined {
  const names = path.toLowerCase().split('/');
  const at = names.indexOf('.git');
  return at === -1 ? undefined : names.slice(at + 1);
}

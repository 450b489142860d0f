/** Who may read and write what. An operator (`by` undefined) may everything. A process without an agent (`by` empty) owns nothing. */
import { Fault } from '@warren/protocol';
import type { StateHead } from '../store/tables/state-table.ts';

export type By = string | undefined;
type Guarded = Pick<StateHead, 'owner' | 'readers' | 'writers'>;

export function mayRead({ owner, readers }: Guarded, by: By): boolean {
  return isOwner(owner, by) || readers === undefined || isNamed(readers, by ?? '');
}

export function mayWrite({ owner, writers }: Guarded, by: By): boolean {
  return isOwner(owner, by) || writers === undefined || isNamed(writers, by ?? '');
}

export function isOwner(owner: string, by: By): boolean {
  return by === undefined || (by !== '' && by === owner);
}

export function denied(action: string, why: string): Fault {
  return new Fault('permission_denied', `Cannot ${action}: ${why}`);
}

function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesName(pattern, name));
}

/** `*` stands for any characters, none too. Takes at most pattern times name, whatever they are. */
export function matchesName(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resumed = 0;
  let position = 0;
  while (position < name.length) {
    if (pattern[at] === '*') {
      star = at++;
      resumed = position;
    } else if (pattern[at] === name[position]) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resumed;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

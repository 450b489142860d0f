import { Fault } from '@warren/protocol';

const GROUPS_MAX = 32;
const GROUP = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/** Groups say who may decide about what. Throws `invalid_argument`. */
export function checkGroups(groups: readonly string[], action: string): void {
  const wrong = groups.find((group) => typeof group !== 'string' || !GROUP.test(group));
  if (wrong === undefined && groups.length <= GROUPS_MAX) return;
  const why = wrong === undefined ? `there are ${groups.length} groups, the limit is ${GROUPS_MAX}` : 'a group is 1 to 64 of a-z 0-9 . _ -';
  throw new Fault('invalid_argument', `Cannot ${action}: ${why}`, { details: { field: 'groups' } });
}

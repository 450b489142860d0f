/** Under what an attempt is made, and as whom. */
import type { ProfileName } from '@warren/sandbox';

export type TestedProfile = Extract<ProfileName, 'moderate' | 'restrictive'>;

/** A profile with root as the host's user, or `moderate` with an ordinary user, who has one id and no cgroups. */
export type Setting = TestedProfile | 'unprivileged';

/** `root` is whoever pid 1 is: root inside, without a capability; where the host's user has one id only, the agent as well. */
export type User = 'agent' | 'root';

export function profileOf(setting: Setting): TestedProfile {
  return setting === 'unprivileged' ? 'moderate' : setting;
}

import { DEFAULT_RULES } from './default-rules.ts';
import type { Profile } from './profile.ts';
import { RESTRICTIVE_RULES } from './restrictive-rules.ts';

export type SeccompProfileName = 'default' | 'restrictive';

export const PROFILES: Readonly<Record<SeccompProfileName, Profile>> = {
  default: { rules: DEFAULT_RULES, tightened: [] },
  restrictive: { rules: DEFAULT_RULES, tightened: RESTRICTIVE_RULES },
};

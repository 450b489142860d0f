/** All attempts, by theme. */
import type { Attempt, Theme } from './attempt.ts';
import { DEVICES } from './attempts/devices.ts';
import { ENDINGS } from './attempts/endings.ts';
import { FILES } from './attempts/files.ts';
import { KERNEL_CALLS } from './attempts/kernel-calls.ts';
import { KERNEL_FILES } from './attempts/kernel-files.ts';
import { LAYERS } from './attempts/layers.ts';
import { LIMITS } from './attempts/limits.ts';
import { MOUNTS } from './attempts/mounts.ts';
import { NETWORK } from './attempts/network.ts';
import { OUTPUT } from './attempts/output.ts';
import { PRIVILEGES } from './attempts/privileges.ts';
import { PROCESSES } from './attempts/processes.ts';
import { ROOT_DIRECTORY } from './attempts/root-directory.ts';
import type { Setting } from './setting.ts';

export const THEMES: readonly Theme[] = [
  ROOT_DIRECTORY,
  MOUNTS,
  KERNEL_FILES,
  PROCESSES,
  PRIVILEGES,
  DEVICES,
  NETWORK,
  KERNEL_CALLS,
  FILES,
  LAYERS,
  LIMITS,
  ENDINGS,
  OUTPUT,
];

/** Those that can be tried on this machine. */
export const ATTEMPTS: readonly Attempt[] = THEMES.flatMap(({ attempts }) => attempts).filter(
  ({ architecture }) => architecture === undefined || architecture === process.arch,
);

export function attemptsIn(setting: Setting): readonly Attempt[] {
  return ATTEMPTS.filter(({ answers }) => answers[setting] !== undefined);
}

/** Throws when there is none of this id. */
export function getAttempt(id: string): Attempt {
  const found = ATTEMPTS.find((attempt) => attempt.id === id);
  if (found === undefined) throw new RangeError(`There is no attempt ${JSON.stringify(id)}`);
  return found;
}

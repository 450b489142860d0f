/** Sandboxes of the real library, as the cases use them. */

import { openSandboxes, openWeakenedSandboxes } from '../../../packages/sandbox/src/backends/namespace/open-sandboxes.ts';
import type { RemovableWall } from '../../../packages/sandbox/src/backends/namespace/plan.ts';
import type { Completed, Exit, Sandboxes } from '../../../packages/sandbox/src/contract.ts';

export const LAUNCHER = '/warren/warren-launcher';
export const MIB = 1_048_576;

/** Without spares, so that what is in the cgroups belongs to sandboxes. */
export function open(spares = 0): Promise<Sandboxes> {
  return openSandboxes({ launcher: LAUNCHER, spares });
}

export function openWithout(...walls: readonly RemovableWall[]): Promise<Sandboxes> {
  return openWeakenedSandboxes(walls, { launcher: LAUNCHER, spares: 0 });
}

/** A command that fills this much memory at once. */
export function allocate(mebibytes: number): readonly string[] {
  return ['dd', 'if=/dev/zero', 'of=/dev/null', `bs=${mebibytes}M`, 'count=1'];
}

/** How a command ended, in a word or two. */
export function ending(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exited ${exit.code}`;
    case 'signalled':
      return `signalled ${exit.signal}`;
    case 'stopped':
      return `stopped by ${exit.by}`;
    case 'not_started':
      return `not started: ${exit.stage} ${exit.call} ${exit.path} ${exit.errno}`;
  }
}

export function textOf({ stdout, stderr }: Completed): string {
  return (Buffer.from(stdout).toString('utf8') + Buffer.from(stderr).toString('utf8')).trim();
}

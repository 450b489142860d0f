/** Opens the namespace backend: reads the host, plans the cgroups, starts the launcher. Start reading at `openSandboxes`. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Sandboxes } from '../../contract.ts';
import { readCgroupLayout } from './cgroup-layout.ts';
import { rootsOf } from './cgroup-plan.ts';
import { type IdentityChoice, readHostFacts } from './host-facts.ts';
import { NamespaceSandboxes, startLauncher } from './namespace-sandboxes.ts';
import type { RemovableWall } from './plan.ts';

export type OpenOptions = {
  /** The `warren-launcher` binary. Default: `WARREN_LAUNCHER`, else the one that came with this package or was built in its checkout. */
  readonly launcher?: string;
  /** As a user: `subordinate` takes a range from /etc/subuid through newuidmap, so that commands may be several users. Default: one id, no helper. */
  readonly identities?: IdentityChoice;
};

/** Opens the namespace backend. The caller owns the result; disposing it destroys every sandbox. Throws `wall_unavailable` when there is no launcher. */
export function openSandboxes(options: OpenOptions = {}): Promise<Sandboxes> {
  return openWith(options, undefined);
}

/** As `openSandboxes`, with walls left out: for tests that show that each of them is noticed. */
export function openWeakenedSandboxes(without: readonly RemovableWall[], options: OpenOptions = {}): Promise<Sandboxes> {
  return openWith(options, new Set(without));
}

async function openWith(options: OpenOptions, without: ReadonlySet<RemovableWall> | undefined): Promise<Sandboxes> {
  const launcherPath = options.launcher ?? findLauncher();
  const layout = readCgroupLayout();
  const roots = rootsOf(layout, `${process.pid}-${randomBytes(6).toString('hex')}`);
  const launcher = startLauncher(launcherPath, roots);
  const { landlock } = await launcher.hello;
  const facts = readHostFacts(layout, landlock, options.identities);
  return new NamespaceSandboxes({ launcherPath, launcher, facts, roots, without });
}

/** Beside this package in a release, in `build/` of a checkout; never relative to the working directory, which others may own. */
export function findLauncher(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['WARREN_LAUNCHER'];
  if (named !== undefined && named !== '') return named;
  const places = ['build/warren-launcher', `prebuilds/linux-${process.arch}/warren-launcher`];
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    for (const place of places) if (existsSync(join(directory, place))) return join(directory, place);
  }
  throw new Fault('wall_unavailable', 'Cannot start sandboxes: warren-launcher is not built', {
    details: { wall: 'launcher', stage: 'prepare', fix: 'npm run setup' },
  });
}

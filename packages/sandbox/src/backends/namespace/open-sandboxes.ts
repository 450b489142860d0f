/** Opens the namespace backend: reads the host, plans the cgroups, starts the launcher. Start reading at `openSandboxes`. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Sandboxes } from '../../contract.ts';
import type { EgressOptions } from '../../egress/create-egress.ts';
import { compileInitFilter } from '../../seccomp/index.ts';
import { type CgroupLayout, readCgroupLayout } from './cgroup-layout.ts';
import { rootsOf } from './cgroup-plan.ts';
import { type IdentityChoice, readHostFacts } from './host-facts.ts';
import { type FilterOf, NamespaceSandboxes, type OpenLauncher, startLauncher } from './namespace-sandboxes.ts';
import type { RemovableWall } from './plan.ts';

export type OpenOptions = {
  /** The `warren-launcher` binary. Default: `WARREN_LAUNCHER`, else the one that came with this package or was built in its checkout. */
  readonly launcher?: string;
  /**
   * Blanks the launcher keeps ready (0 to 64, default 2): processes with namespaces and base mounts that were never anybody's, about 0.4 MiB each,
   * made when it has nothing else to do. 0 for a program that starts one sandbox and ends.
   */
  readonly spares?: number;
  /** As a user: `subordinate` takes a range from /etc/subuid through newuidmap, so that commands may be several users. Default: one id, no helper. */
  readonly identities?: IdentityChoice;
  /** Of the guard behind every sandbox with egress: its DNS servers, networks that all of them may reach although they are not public, and who vouches for hosts. */
  readonly egress?: Pick<EgressOptions, 'dns' | 'privateNetworks' | 'ownAddresses' | 'tls'>;
};

/** What only a test may ask for. */
export type TestingOptions = {
  readonly without?: readonly RemovableWall[];
  /** The cgroups there seem to be: without the v2 hierarchy a subreaper holds the tree of a command together, with `none` signals pause it. */
  readonly cgroups?: 'v1' | 'none';
  /** Instead of the profile's own seccomp filter. */
  readonly filter?: FilterOf;
};

/** Opens the namespace backend. The caller owns the result; disposing it destroys every sandbox. Throws `wall_unavailable` when there is no launcher. */
export function openSandboxes(options: OpenOptions = {}): Promise<Sandboxes> {
  return openWith(options, {});
}

/** As `openSandboxes`, with walls left out: for tests that show that each of them is noticed. */
export function openWeakenedSandboxes(without: readonly RemovableWall[], options: OpenOptions = {}): Promise<Sandboxes> {
  return openWith(options, { without });
}

/** As `openSandboxes`, on a host that seems to have less than it has, or under another filter: for tests. */
export function openTestSandboxes(testing: TestingOptions, options: OpenOptions = {}): Promise<Sandboxes> {
  return openWith(options, testing);
}

async function openWith(options: OpenOptions, testing: TestingOptions): Promise<Sandboxes> {
  const launcherPath = options.launcher ?? findLauncher();
  const spares = checkSpares(options.spares ?? 2);
  const layout = cgroupsLeft(readCgroupLayout(), testing.cgroups);
  const openLauncher = (): OpenLauncher => {
    const roots = rootsOf(layout, `${process.pid}-${randomBytes(6).toString('hex')}`);
    return { process: startLauncher(launcherPath, roots, spares), roots };
  };
  const launcher = openLauncher();
  const { landlock } = await launcher.process.hello;
  const facts = readHostFacts(layout, landlock, options.identities);
  const without = testing.without === undefined ? undefined : new Set(testing.without);
  return new NamespaceSandboxes({
    launcher,
    openLauncher,
    facts,
    without,
    filterOf: testing.filter ?? compileInitFilter,
    egress: options.egress,
  });
}

function cgroupsLeft(layout: CgroupLayout, left: TestingOptions['cgroups']): CgroupLayout {
  if (left === undefined) return layout;
  const controllers = Object.entries(layout.controllers).filter(([, base]) => left === 'v1' && base.version === 1);
  return { controllers: Object.fromEntries(controllers), unified: undefined };
}

function checkSpares(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= 64) return count;
  throw new Fault('invalid_argument', `Cannot open sandboxes: spares is ${count}, it must be an integer from 0 to 64`);
}

/** In this package of a release, in `build/` of a checkout. Never relative to the working directory, nor above what is ours: others may own that. */
export function findLauncher(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['WARREN_LAUNCHER'];
  if (named !== undefined && named !== '') return named;
  const release = `prebuilds/linux-${process.arch}/warren-launcher`;
  const ours = packageAbove(import.meta.dirname);
  const repository = ours === undefined ? undefined : packageAbove(dirname(ours.directory));
  const places = ours === undefined ? [] : [join(ours.directory, release)];
  if (repository?.name === 'warren-repository')
    places.unshift(join(repository.directory, 'build/warren-launcher'), join(repository.directory, release));
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new Fault('wall_unavailable', 'Cannot start sandboxes: warren-launcher is not built', {
    details: { wall: 'launcher', stage: 'prepare', fix: 'npm run setup' },
  });
}

/** The nearest directory, upwards, with a package.json. */
function packageAbove(start: string): { readonly directory: string; readonly name: unknown } | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    try {
      return { directory, name: (JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { name?: unknown }).name }; // Only looked at.
    } catch {
      if (directory === dirname(directory)) return undefined; // None up to the root.
    }
  }
}

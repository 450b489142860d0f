/** `warren-launcher run`: one sandbox, one command, from a spec of our own making. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempDisposableSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedSpec } from '../../../contract.ts';
import { architectureOf, compileFilter } from '../../../seccomp/index.ts';
import { planCgroups, rootsOf } from '../cgroup-plan.ts';
import { readHostFacts } from '../host-facts.ts';
import { findLauncher } from '../open-sandboxes.ts';
import { planWalls } from '../plan.ts';
import { PROFILES } from '../profiles.ts';

export type OneshotOptions = {
  /** Default: what the library plans for a moderate sandbox without cgroups. */
  readonly spec?: readonly string[];
  /** Default: the moderate profile's. `undefined` given: none. */
  readonly filter?: Uint8Array | undefined;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cgroupRoots?: readonly string[];
  /** What the launcher itself is started with. */
  readonly through?: readonly string[];
  readonly launcherEnv?: Readonly<Record<string, string>>;
  /** Further descriptors that the launcher inherits. */
  readonly inherited?: readonly number[];
  readonly uid?: number;
  readonly launcher?: string;
};

export type OneshotEnd = { readonly code: number | null; readonly signal: string | null; readonly stdout: string; readonly stderr: string };

/** The flags the library plans, for root and without cgroups. */
export function plannedSpec(change: Partial<ResolvedSpec> = {}): readonly string[] {
  const profile = PROFILES.moderate;
  const facts = readHostFacts({ controllers: {}, unified: undefined }, 0);
  const spec: ResolvedSpec = {
    profile: 'moderate',
    limits: profile.limits,
    workspace: undefined,
    mounts: [],
    env: {},
    hostname: 'oneshot',
    network: 'loopback',
    seccomp: 'default',
    ...change,
  };
  return planWalls({ spec, profile, facts, cgroups: planCgroups(rootsOf(facts.cgroups, 'none'), spec.limits, false) });
}

export function defaultFilter(): Uint8Array {
  const architecture = architectureOf(process.arch);
  if (architecture === undefined) throw new Error(`There is no filter for ${process.arch}`);
  return compileFilter('default', architecture);
}

/** A running one: `ended` resolves with everything it said. */
export type Oneshot = {
  readonly process: ChildProcess;
  readonly ended: Promise<OneshotEnd>;
  readonly said: (text: string) => Promise<void>;
};

export function startOneshot(argv: readonly string[], options: OneshotOptions = {}): Oneshot {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'warren-oneshot-'));
  const spec = openText(join(directory.path, 'spec'), (options.spec ?? plannedSpec()).map((flag) => `${flag}\0`).join(''));
  const filterBytes = 'filter' in options ? options.filter : defaultFilter();
  const filter = filterBytes === undefined ? undefined : openText(join(directory.path, 'filter'), filterBytes);
  const flags = ['run', '--spec-fd', '3', ...(filter === undefined ? [] : ['--filter-fd', '4'])];
  for (const root of options.cgroupRoots ?? []) flags.push('--cgroup-root', root);
  if (options.cwd !== undefined) flags.push('--cwd', options.cwd);
  const env = { PATH: '/usr/bin:/bin', ...options.env };
  for (const [name, value] of Object.entries(env)) flags.push('--env', `${name}=${value}`);
  const [program = '', ...before] = [...(options.through ?? []), options.launcher ?? findLauncher()];
  const child = spawn(program, [...before, ...flags, '--', ...argv], {
    stdio: ['pipe', 'pipe', 'pipe', spec, filter ?? 'ignore', ...(options.inherited ?? [])],
    env: options.launcherEnv ?? {},
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  for (const fd of [spec, filter]) if (fd !== undefined) closeSync(fd);
  child.stdin?.end();
  const output = { stdout: '', stderr: '' };
  const waiting: { text: string; resolve: () => void }[] = [];
  const collect = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
    output[name] += chunk.toString('latin1');
    for (const { text, resolve } of waiting) if (output.stdout.includes(text)) resolve();
  };
  child.stdout?.on('data', collect('stdout'));
  child.stderr?.on('data', collect('stderr'));
  const ended = new Promise<OneshotEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  const said = async (text: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ text, resolve });
    if (output.stdout.includes(text)) return;
    await Promise.race([
      promise,
      ended.then((end) => Promise.reject(new Error(`It ended before it said ${text}: ${JSON.stringify(end)}`))),
    ]);
  };
  return { process: child, ended, said };
}

export function runOneshot(argv: readonly string[], options: OneshotOptions = {}): Promise<OneshotEnd> {
  return startOneshot(argv, options).ended;
}

/** Several at once, but not all. */
export async function inBatches<T, R>(items: readonly T[], size: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += size) results.push(...(await Promise.all(items.slice(at, at + size).map(work))));
  return results;
}

function openText(path: string, content: string | Uint8Array): number {
  writeFileSync(path, content);
  return openSync(path, 'r');
}

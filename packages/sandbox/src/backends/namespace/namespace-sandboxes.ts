/** The namespace backend: plans walls, has the launcher build them, and hands out the sandboxes. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createSandboxId, Fault } from '@warren/protocol';
import type { Capabilities, Gone, Sandbox, Sandboxes, SandboxSpec } from '../../contract.ts';
import type { EgressOptions } from '../../egress/create-egress.ts';
import type { RawUsage } from '../../guest/exit-message.ts';
import { Guest } from '../../guest/guest.ts';
import { type Architecture, architectureOf, type SeccompProfileName } from '../../seccomp/index.ts';
import { type CgroupRoots, limitCounter, planCgroups, rootPaths } from './cgroup-plan.ts';
import { explainFailure } from './explain-failure.ts';
import { capabilitiesOf, type HostFacts } from './host-facts.ts';
import { LauncherProcess } from './launcher-process.ts';
import { prepareLayer } from './layer-directories.ts';
import { NamespaceSandbox } from './namespace-sandbox.ts';
import { AGENT, AGENT_HOME, planWalls, type RemovableWall, WORKSPACE } from './plan.ts';
import { resolveSpec } from './resolve-spec.ts';
import { connectProxy, EGRESS_ENVIRONMENT, openProxy } from './sandbox-egress.ts';

/** A running launcher, with the cgroups that are its own: a new one cannot have those of one that died, which may still be going away. */
export type OpenLauncher = { readonly process: LauncherProcess; readonly roots: CgroupRoots };

/** The bytes of a seccomp filter. */
export type FilterOf = (profile: SeccompProfileName, architecture: Architecture) => Uint8Array;

export type BackendParts = {
  readonly launcher: OpenLauncher;
  /** Starts another after one has died. */
  readonly openLauncher: () => OpenLauncher;
  readonly facts: HostFacts;
  readonly without: ReadonlySet<RemovableWall> | undefined;
  readonly filterOf: FilterOf;
  readonly egress: EgressOptions | undefined;
};

const NO_FILTER = new Uint8Array(0);

export class NamespaceSandboxes implements Sandboxes {
  readonly capabilities: Capabilities;
  readonly #parts: BackendParts;
  readonly #hasMemsw: boolean;
  #launcher: OpenLauncher;
  #isDisposed = false;

  constructor(parts: BackendParts) {
    this.#parts = parts;
    this.#launcher = parts.launcher;
    this.capabilities = capabilitiesOf(parts.facts);
    this.#hasMemsw = hasSwapLimit(parts.launcher.roots);
  }

  async start(given: SandboxSpec, signal?: AbortSignal): Promise<Sandbox> {
    signal?.throwIfAborted();
    const { spec, profile } = resolveSpec(given, this.capabilities, process.env);
    const { facts, without, filterOf } = this.#parts;
    if (spec.workspace?.kind === 'overlay') prepareLayer(spec.workspace.directory, spec.workspace.layer, facts);
    const network = given.network === undefined || given.network === 'loopback' ? undefined : given.network;
    const proxy = network === undefined ? undefined : await openProxy(network, this.#parts.egress);
    const trusted = proxy?.certificate === undefined ? undefined : await import('./trust-authority.ts'); // Loads what speaks TLS.
    const startedAt = performance.now();
    const { process: launcher, roots } = this.#openLauncher();
    const id = launcher.nextId();
    const cgroups = planCgroups(roots, spec.limits, this.#hasMemsw);
    const trust = proxy?.certificate === undefined ? [] : await trusted?.trustFlags(proxy.certificate);
    const flags = [...planWalls({ spec, profile, facts, cgroups, without }), ...(trust ?? [])];
    const filter = without?.has('seccomp') === true ? NO_FILTER : filterOf(spec.seccomp, architecture());
    const launched = await launcher.launch(id, flags, filter, signal);
    const counters = cgroups.countersOf(launched.slot);
    const guest = new Guest(launched.client, {
      cwd: spec.workspace === undefined ? AGENT_HOME : WORKSPACE,
      env: { ...BASE_ENVIRONMENT, ...(proxy === undefined ? {} : EGRESS_ENVIRONMENT), ...trusted?.TRUST_ENVIRONMENT, ...spec.env },
      user: AGENT,
      limits: spec.limits,
      readLimitCounts: limitCounter(counters),
    });
    try {
      if (proxy !== undefined) await connectProxy(launched.client, proxy);
    } catch (error) {
      launched.destroy();
      await launched.gone;
      throw error;
    }
    const gone = launched.gone.then((message) => ({ usage: usageOf(message?.usage, performance.now() - startedAt) }));
    return new NamespaceSandbox({ id: createSandboxId(randomBytes), spec, guest, counters, gone, proxy, destroy: launched.destroy });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#launcher.process[Symbol.asyncDispose]();
  }

  /** The running one, or a new one after it died. */
  #openLauncher(): OpenLauncher {
    if (this.#isDisposed) throw new Fault('sandbox_gone', 'Cannot start a sandbox: the backend is closed');
    if (this.#launcher.process.isLost) this.#launcher = this.#parts.openLauncher();
    return this.#launcher;
  }
}

export function startLauncher(path: string, roots: CgroupRoots, spares: number): LauncherProcess {
  return new LauncherProcess({
    path,
    flags: ['--spares', String(spares), ...rootPaths(roots).flatMap((root) => ['--cgroup-root', root])],
    explain: explainFailure,
  });
}

const BASE_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: AGENT_HOME,
  USER: 'agent',
  LOGNAME: 'agent',
  SHELL: '/bin/sh',
  LANG: 'C.UTF-8',
} as const;

function usageOf(usage: RawUsage | undefined, wallMs: number): Gone['usage'] {
  if (usage === undefined) return undefined;
  return { userCpuMs: usage.userMicros / 1_000, systemCpuMs: usage.systemMicros / 1_000, wallMs, memoryBytesMax: usage.rssBytesMax };
}

function architecture(): Architecture {
  const known = architectureOf(process.arch);
  if (known !== undefined) return known;
  throw new Fault('wall_unavailable', `Cannot start a sandbox: there is no seccomp filter for ${process.arch}`, {
    details: { wall: 'seccomp', stage: 'seccomp', fix: 'use a machine with x86_64 or aarch64' },
  });
}

/** Kernels without swap accounting have no such file; there swap is not counted. */
function hasSwapLimit(roots: CgroupRoots): boolean {
  const { memory } = roots.controllers;
  if (memory === undefined) return false;
  // In the launcher's own directory: the root of the v2 tree has no such file.
  return existsSync(`${memory.path}/${memory.version === 1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'}`);
}

/**
 * The sandboxes of agents: one for each process that asks. Its mounts are read once, from the grants at that moment; any change of grants ends it, so the
 * next call gets one with the new mounts and a call under way cannot go on with the old ones. That also holds for a change while it is being
 * started: it is registered before its grants are read.
 */
import type { EventRecord, WorkspaceKernel } from '@warren/kernel';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { Limits, Sandbox, Sandboxes, SandboxSpec } from '@warren/sandbox';
import type { AgentNetwork } from '../egress/agent-network.ts';
import type { AgentSandbox, AgentSandboxes } from './agent-sandboxes.ts';
import { type BackgroundLimits, createBackgroundCommands } from './create-background-commands.ts';
import { grantedDirectory } from './granted-directory.ts';
import { grantedMounts, WORKSPACE } from './granted-mounts.ts';
import { type LiveSandbox, SandboxSlot } from './sandbox-slot.ts';

export const AGENT_SANDBOX_LIMITS = {
  /** At once, of all workspaces. Beyond, the one that was idle longest goes; when none is idle the call is refused as `busy`. */
  sandboxesMax: 256,
  /** Without a call or a command in the background. */
  idleMs: 300_000,
  sweepMs: 15_000,
} as const;
export type AgentSandboxLimits = { readonly [Key in keyof typeof AGENT_SANDBOX_LIMITS]: number };

export type AgentSandboxParts = {
  readonly sandboxes: Sandboxes;
  readonly workspace: (id: WorkspaceId) => Pick<WorkspaceKernel, 'processes' | 'grants'>;
  /** The directory of the host that is `/workspace`. It exists and is the operator's; what is in it is the agents'. */
  readonly directoryOf: (id: WorkspaceId) => string;
  /** Called with the events of each commit: `store.onCommit`. */
  readonly onCommit: (listener: (workspace: WorkspaceId, events: readonly EventRecord[]) => void) => Disposable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly limits?: Partial<AgentSandboxLimits> | undefined;
  readonly backgroundLimits?: Partial<BackgroundLimits> | undefined;
  /** Of each sandbox; default: those of its profile. */
  readonly sandboxLimits?: Limits | undefined;
  readonly profile?: SandboxSpec['profile'] | undefined;
  /** The way out for a process that holds hosts. Absent: none has any. */
  readonly openNetwork?: ((id: WorkspaceId, pid: number, hosts: readonly string[]) => Promise<AgentNetwork>) | undefined;
};

export type OwnedAgentSandboxes = AgentSandboxes & {
  /** Destroys those of a workspace, and starts none there until the lease is disposed. */
  stop(id: WorkspaceId): Promise<Disposable>;
  /** Those that stand or are being started. */
  readonly active: number;
  /** Ends what was idle for too long. A timer calls it; a test that moves the clock does too. */
  sweep(): Promise<void>;
};

/** A start that lost its grants meanwhile is made again; somebody who changes them all the time does not keep it busy for ever. */
const STARTS_MAX = 5;
/** After these a process may be stopped, or go on. */
const STOP_EVENTS: ReadonlySet<string> = new Set([
  'kernel.process.transitioned',
  'kernel.process.recovered',
  'kernel.agent.paused',
  'kernel.agent.resumed',
]);
const GRANT_EVENTS: ReadonlySet<string> = new Set([
  'kernel.grant.created',
  'kernel.grant.derived',
  'kernel.grant.narrowed',
  'kernel.grant.revoked',
]);

/** The caller owns the result; closing it destroys every sandbox it started, not `sandboxes`. */
export function createAgentSandboxes(parts: AgentSandboxParts): OwnedAgentSandboxes {
  const limits = { ...AGENT_SANDBOX_LIMITS, ...parts.limits };
  const slots = new Map<string, SandboxSlot>();
  const endings = new Set<Promise<void>>();
  let nextCommand = parts.now();
  const stopped = new Set<WorkspaceId>();
  let isClosed = false;

  const end = (slot: SandboxSlot, why: string): Promise<void> => {
    if (slots.get(slot.key) === slot) slots.delete(slot.key);
    const ending = slot.retire(new Fault('sandbox_gone', `Cannot use the sandbox of the process: ${why}`));
    endings.add(ending);
    return ending.finally(() => endings.delete(ending));
  };

  const makeRoom = async (): Promise<void> => {
    while (slots.size >= limits.sandboxesMax) {
      const idle = [...slots.values()].filter(({ idleSince }) => idleSince !== undefined);
      const [oldest] = idle.toSorted((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
      if (oldest === undefined)
        throw new Fault('busy', `Cannot start a sandbox: ${slots.size} are in use, the limit is ${limits.sandboxesMax}`);
      await end(oldest, 'it was idle and another process needed its place');
    }
  };

  const start = async (id: WorkspaceId, pid: number, signal: AbortSignal): Promise<LiveSandbox> => {
    const { spec, hosts } = await specOf(parts, id, pid);
    signal.throwIfAborted();
    const way = hosts.length === 0 ? undefined : await parts.openNetwork?.(id, pid, hosts);
    const sandbox = await startWith(spec, way, signal);
    const background = createBackgroundCommands({ sandbox, now: parts.now, nextId: () => nextCommand++, limits: parts.backgroundLimits });
    void sandbox.gone.then(async () => {
      await way?.[Symbol.asyncDispose]();
    });
    sandbox.gone.then(() => {
      const slot = slots.get(keyOf(id, pid));
      if (slot?.live?.sandbox === sandbox) void end(slot, 'it is gone');
    });
    return { sandbox, background };
  };

  const startWith = async (spec: SandboxSpec, way: AgentNetwork | undefined, signal: AbortSignal): Promise<Sandbox> => {
    let sandbox: Sandbox | undefined;
    try {
      sandbox = await parts.sandboxes.start(way === undefined ? spec : { ...spec, network: way.network, env: way.env }, signal);
      refuseOtherSources(spec, sandbox.spec);
      return sandbox;
    } catch (error) {
      await sandbox?.[Symbol.asyncDispose]();
      await way?.[Symbol.asyncDispose]();
      throw error;
    }
  };

  const slotOf = (id: WorkspaceId, pid: number): SandboxSlot => {
    const key = keyOf(id, pid);
    const known = slots.get(key);
    if (known !== undefined) return known;
    const made = new SandboxSlot(key, (signal) => start(id, pid, signal), parts.now);
    slots.set(key, made);
    void settle(made, id, pid); // It may have been stopped since its call was let pass.
    return made;
  };

  /** What runs for a process that is stopped stands still until it goes on. */
  const settle = (slot: SandboxSlot, id: WorkspaceId, pid: number): Promise<void> =>
    slot.settle(() => parts.workspace(id).processes.isStopped(pid));

  const holdOnce = async (id: WorkspaceId, pid: number, signal: AbortSignal | undefined): Promise<AgentSandbox | undefined> => {
    if (!slots.has(keyOf(id, pid))) await makeRoom();
    if (isClosed) throw closed();
    if (stopped.has(id)) throw new Fault('sandbox_gone', `Cannot start a sandbox: workspace "${id}" is being deleted`);
    const slot = slotOf(id, pid);
    try {
      const live = await slot.hold(signal);
      if (slot.isRetired) throw new Fault('sandbox_gone', 'Cannot use the sandbox of the process: it was ended while it started');
      return handleOf(slot, live);
    } catch (error) {
      const isAbandoned = slot.release();
      if (slot.isRetired && signal?.aborted !== true) return undefined;
      if (isAbandoned) void end(slot, 'nobody waits for it'); // Also one whose start failed: the next call tries again.
      throw error;
    }
  };

  const handleOf = (slot: SandboxSlot, { sandbox, background }: LiveSandbox): AgentSandbox => {
    let isReleased = false;
    return {
      sandbox,
      background,
      async [Symbol.asyncDispose]() {
        if (isReleased) return;
        isReleased = true;
        slot.release();
      },
    };
  };

  const sweep = async (): Promise<void> => {
    const before = parts.now() - limits.idleMs;
    const idle = [...slots.values()].filter(({ idleSince }) => idleSince !== undefined && idleSince <= before);
    await Promise.all(idle.map((slot) => end(slot, 'it was idle')));
  };

  const subscription = parts.onCommit((id, events) => {
    for (const { pid, kind } of events) {
      const slot = pid === undefined ? undefined : slots.get(keyOf(id, pid));
      if (slot === undefined) continue;
      if (kind === 'kernel.process.terminated') void end(slot, 'the process has ended');
      else if (STOP_EVENTS.has(kind)) void settle(slot, id, pid ?? 0);
      else if (GRANT_EVENTS.has(kind)) void end(slot, 'what the process was granted has changed');
    }
  });
  const timer = setInterval(() => void sweep(), limits.sweepMs);
  timer.unref();

  const close = async (): Promise<void> => {
    isClosed = true;
    clearInterval(timer);
    subscription[Symbol.dispose]();
    for (const slot of slots.values()) void end(slot, 'the platform closes');
    await Promise.all(endings);
  };

  return {
    get active() {
      return slots.size;
    },
    async open(id, pid, signal) {
      for (let attempt = 0; attempt < STARTS_MAX; attempt++) {
        if (isClosed) throw closed();
        const held = await holdOnce(id, pid, signal);
        if (held !== undefined) return held;
      }
      throw new Fault('busy', `Cannot start the sandbox of process ${pid}: its grants changed during each of ${STARTS_MAX} starts`);
    },
    async close(id, pid) {
      const slot = slots.get(keyOf(id, pid));
      if (slot !== undefined) await end(slot, 'it was closed');
    },
    async stop(id) {
      stopped.add(id);
      const mine = [...slots.values()].filter(({ key }) => key.startsWith(keyPrefix(id)));
      await Promise.all(mine.map((slot) => end(slot, 'its workspace is being deleted')));
      return { [Symbol.dispose]: () => void stopped.delete(id) };
    },
    sweep,
    [Symbol.asyncDispose]: close,
  };
}

function keyOf(id: WorkspaceId, pid: number): string {
  return `${keyPrefix(id)}${pid}`;
}

function keyPrefix(id: WorkspaceId): string {
  return `${id}\0`;
}

function closed(): Fault<'unavailable'> {
  return new Fault('unavailable', 'Cannot start a sandbox: the platform closes');
}

type Spec = { readonly spec: SandboxSpec; readonly hosts: readonly string[] };

async function specOf(parts: AgentSandboxParts, id: WorkspaceId, pid: number): Promise<Spec> {
  const mine = parts.workspace(id);
  const process = await mine.processes.get(pid);
  if (process.state === 'DEAD') throw new Fault('conflict', `Cannot start the sandbox of process ${pid}: it is DEAD`);
  const { paths = [], hosts = [] } = (await mine.grants.find(pid)) ?? {};
  if (paths.length === 0) throw new Fault('permission_denied', `Cannot start the sandbox of process ${pid}: it was granted no path`);
  const root = parts.directoryOf(id);
  const mounts = grantedMounts(paths).map(({ path, isWritable }) => ({ source: sourceOf(root, path), path, isWritable }));
  const whole = mounts.find(({ path }) => path === '');
  const spec: SandboxSpec = {
    profile: parts.profile ?? 'moderate',
    ...(parts.sandboxLimits === undefined ? {} : { limits: parts.sandboxLimits }),
    ...(whole === undefined ? {} : { workspace: { kind: whole.isWritable ? 'writable' : 'read_only', directory: whole.source } }),
    mounts: mounts
      .filter((mount) => mount !== whole)
      .map(({ source, path, isWritable }) => ({ source, target: `${WORKSPACE}/${path}`, writable: isWritable })),
  };
  return { spec, hosts };
}

function sourceOf(root: string, path: string): string {
  try {
    return grantedDirectory(root, path);
  } catch (error) {
    if (isFault(error)) throw error;
    const place = path === '' ? WORKSPACE : `${WORKSPACE}/${path}`;
    throw new Fault('permission_denied', `Cannot show ${JSON.stringify(place)} to a process: it cannot be opened`, { cause: error });
  }
}

/** Names are resolved once more where sandboxes are started; a link put there since the walk led somewhere else. Nothing has run yet. */
function refuseOtherSources(
  asked: SandboxSpec,
  built: { readonly workspace: SandboxSpec['workspace']; readonly mounts: readonly { readonly source: string }[] },
): void {
  const isSame =
    asked.workspace?.directory === built.workspace?.directory &&
    (asked.mounts ?? []).every(({ source }, index) => source === built.mounts[index]?.source);
  if (!isSame)
    throw new Fault('permission_denied', 'Cannot start the sandbox of the process: a link replaced what it was granted while it started');
}

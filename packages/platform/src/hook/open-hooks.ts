/**
 * Hooks as the daemon has them: those of `hooks.yaml`, read again when it changes, and those that a program registers in its own process, by workspace and in one
 * order. The gate is handed `review`, and knows no more of hooks; approvals and budgets are followed in the event log, so what happened while Warren was down is not told.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import type { Answer, EventRecord, Kernel, Review, ReviewedCall, Verdict } from '@warren/kernel';
import { Fault, isFault, type JsonObject, type JsonValue, type WorkspaceId } from '@warren/protocol';
import type { Egress, Sandboxes } from '@warren/sandbox';
import { createHooks } from './create-hooks.ts';
import { documentOf } from './hook-document.ts';
import { HOOK_FILE, isCommand, type ReadHooks, readHookFile } from './hook-file.ts';
import type { FileHook } from './hook-file-format.ts';
import { HookPlaces } from './hook-places.ts';
import type { HookPoint } from './hook-points.ts';
import type { HookFailure, HookPayloads, Hooks } from './hooks.ts';
import { postHookWebhook } from './post-hook-webhook.ts';
import { runHookCommand } from './run-hook-command.ts';

const LOOK_MS = 1_000;
/** Of calls and events that were told of and whose hooks still run, of a workspace and of all. More are not told of, which is an event. */
const TELLING_OF_WORKSPACE_MAX = 250;
const TELLING_MAX = 1_000;

export type LiveHooksParts = {
  readonly directory: string;
  readonly kernel: Pick<Kernel, 'workspace' | 'store'>;
  readonly sandboxes: Sandboxes;
  readonly egress: Egress;
  readonly now: () => number;
  /** Whether to notice by itself that the file changes. */
  readonly isWatching: boolean;
  /** Before it is in force; rejects when that cannot be recorded. */
  readonly onChange: (hash: string) => Promise<void>;
  /** Tells people what keeps the file from being used; undefined when nothing does. */
  readonly tell: (problem: string | undefined) => Promise<void>;
  readonly say: (message: string) => void;
};

/** What a hook of the file makes of a call that is not made. */
export type HookTrial =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'changes'; readonly input: JsonObject }
  | { readonly kind: 'vetoes' | 'fails'; readonly reason: string };

export interface LiveHooks extends AsyncDisposable {
  /** SHA-256 of the file. */
  readonly hash: string;
  /** Those of the file, highest priority first. */
  list(): readonly FileHook[];
  /** For a program that embeds Warren: those of one workspace. What is registered here runs in this process. */
  workspace(id: WorkspaceId): Hooks;
  /** The workspace is gone: one of the same name that is made later has none of its own hooks. */
  forget(id: WorkspaceId): void;
  /** For the gate. */
  review(call: ReviewedCall): Review | undefined;
  /** Runs one hook of the file, and nothing else. Faults: `not_found`, `conflict` (it does not stand at this point), `aborted`. */
  try(name: string, point: HookPoint | undefined, call: ReviewedCall & { readonly agent: string }, signal: AbortSignal): Promise<HookTrial>;
  /** Reads the file again. What cannot be used changes nothing. Faults: `invalid_argument`, with each mistake and its line. */
  reload(): Promise<void>;
}

/** Faults: `invalid_argument`: a mistake in the file. */
export async function openLiveHooks(parts: LiveHooksParts): Promise<LiveHooks> {
  const hooks = new FileAndOwnHooks(parts, await readHookFile(parts.directory));
  await parts.tell(undefined); // One of a life before is mended: we are here.
  hooks.begin();
  return hooks;
}

/** `generation`: which reading of the file stands in it. */
type OfWorkspace = { readonly hooks: Hooks; leases: readonly Disposable[]; generation: number };

class FileAndOwnHooks implements LiveHooks {
  readonly #parts: LiveHooksParts;
  readonly #places = new HookPlaces();
  readonly #workspaces = new Map<WorkspaceId, OfWorkspace>();
  readonly #telling = new Map<WorkspaceId, number>();
  /** Closing waits for it. */
  readonly #work = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #read: ReadHooks;
  #generation = 0;
  /** Registered by programs, ever. */
  #own = 0;
  #reloading: Promise<void> = Promise.resolve();
  #listening: Disposable | undefined;

  constructor(parts: LiveHooksParts, read: ReadHooks) {
    this.#parts = parts;
    this.#read = read;
  }

  begin(): void {
    const { directory, kernel, isWatching } = this.#parts;
    this.#listening = kernel.store.onCommit((workspace, events) => {
      if (!this.#isEmpty) for (const event of events) this.#hear(workspace, event);
    });
    if (isWatching) watchFile(join(directory, HOOK_FILE), { interval: LOOK_MS, persistent: false }, this.#onFileChange);
  }

  get hash(): string {
    return this.#read.hash;
  }

  /** So that where there are none, a call costs a look at two numbers. */
  get #isEmpty(): boolean {
    return this.#read.hooks.length === 0 && this.#own === 0;
  }

  list(): readonly FileHook[] {
    return this.#read.hooks.toSorted((one, other) => other.priority - one.priority);
  }

  workspace(id: WorkspaceId): Hooks {
    const { hooks } = this.#of(id);
    return {
      ...hooks,
      register: (...given) => {
        const lease = hooks.register(...given);
        this.#own += 1;
        return lease;
      },
    };
  }

  forget(id: WorkspaceId): void {
    this.#workspaces.delete(id);
  }

  review(call: ReviewedCall): Review | undefined {
    if (this.#isEmpty) return undefined;
    const { workspace, capability } = call;
    const { hooks } = this.#of(workspace);
    const before = hooks.has('before_tool_call', capability);
    const after = hooks.has('after_tool_call', capability);
    if (!before && !after) return undefined;
    return {
      ...(before && { before: (signal: AbortSignal) => this.#before(hooks, call, signal) }),
      ...(after && {
        after: (answer: Answer) =>
          this.#tell(call.workspace, call.pid, 'after_tool_call', async (signal) => {
            const payload = { ...(await this.#payloadOf(call)), result: resultOf(answer) };
            await hooks.run('after_tool_call', payload, signal);
          }),
      }),
    };
  }

  async try(
    name: string,
    asked: HookPoint | undefined,
    call: ReviewedCall & { readonly agent: string },
    signal: AbortSignal,
  ): Promise<HookTrial> {
    const hook = this.#read.hooks.find((each) => each.name === name);
    if (hook === undefined)
      throw new Fault('not_found', `Cannot try hook ${JSON.stringify(name.slice(0, 80))}: ${HOOK_FILE} has none of this name`);
    const point = asked ?? hook.on[0];
    if (point === undefined || !hook.on.includes(point)) {
      throw new Fault('conflict', `Cannot try hook ${name} at ${point}: it stands at ${hook.on.join(', ')}`);
    }
    const failures: HookFailure[] = [];
    const alone = createHooks({ onFailure: (failure) => failures.push(failure) });
    using _lease = this.#register(alone, hook, point, call.workspace);
    const sample = sampleOf(call);
    if (point !== 'before_tool_call') await alone.run(point, sample[point], signal);
    const verdict = point === 'before_tool_call' ? await alone.beforeToolCall(sample[point], signal) : undefined;
    const [failure] = failures;
    if (failure !== undefined) return { kind: 'fails', reason: failure.reason };
    if (verdict === undefined) return { kind: 'nothing' };
    if (verdict.kind === 'vetoed') return { kind: 'vetoes', reason: verdict.reason };
    return verdict.input === sample.before_tool_call.input ? { kind: 'nothing' } : { kind: 'changes', input: verdict.input };
  }

  async reload(): Promise<void> {
    const reloading = this.#reloading.catch(() => {}).then(() => this.#reload());
    this.#reloading = reloading;
    await reloading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unwatchFile(join(this.#parts.directory, HOOK_FILE), this.#onFileChange);
    this.#listening?.[Symbol.dispose]();
    this.#closing.abort(new Error('Warren is stopping'));
    await this.#reloading.catch(() => {}); // Whoever asked for it heard of it.
    while (this.#work.size > 0) await Promise.all(this.#work); // That one failed is kept, too.
  }

  readonly #onFileChange = (): void => {
    this.reload().catch((error: unknown) => this.#parts.say(error instanceof Error ? error.message : String(error)));
  };

  async #reload(): Promise<void> {
    const { directory, onChange, tell } = this.#parts;
    let read: ReadHooks;
    try {
      read = await readHookFile(directory);
    } catch (error) {
      if (isFault(error)) await tell(`The hooks on disk cannot be used; those before stay in force\n${error.message}`);
      throw error;
    }
    await onChange(read.hash);
    this.#read = read;
    this.#generation += 1;
    await tell(undefined);
  }

  /** With the hooks of the file as they are now. */
  #of(id: WorkspaceId): OfWorkspace {
    let found = this.#workspaces.get(id);
    if (found === undefined) {
      const hooks = createHooks({ onFailure: (failure, payload) => this.#note(id, failure, payload) });
      found = { hooks, leases: [], generation: -1 };
      this.#workspaces.set(id, found);
    }
    if (found.generation !== this.#generation) {
      for (const lease of found.leases) lease[Symbol.dispose]();
      const { hooks } = found;
      const ofHere = this.#read.hooks.filter(({ workspaces }) => workspaces === undefined || workspaces.includes(id));
      found.leases = ofHere.flatMap((hook) => hook.on.map((point) => this.#register(hooks, hook, point, id)));
      found.generation = this.#generation;
    }
    return found;
  }

  #register(hooks: Hooks, hook: FileHook, point: HookPoint, workspace: WorkspaceId): Disposable {
    const { name: label, capabilities, priority, timeout: timeoutMs } = hook;
    const handler = async (payload: HookPayloads[HookPoint], signal: AbortSignal): Promise<never> => {
      const told = documentOf(point, workspace, payload as HookPayloads[typeof point]); // It is registered for this point.
      const answer = isCommand(hook)
        ? await runHookCommand(this.#parts.sandboxes, hook, told, signal)
        : await postHookWebhook(this.#parts, hook, told, signal);
      return answer as never; // Whoever asks for a verdict reads it as anything.
    };
    const turn = { workspace, isAwaited: point === 'before_tool_call' };
    const place = (signal: AbortSignal): Promise<Disposable> => this.#places.take(turn, signal);
    return hooks.register(point, handler, { label, capabilities, priority, timeoutMs, place });
  }

  async #before(hooks: Hooks, call: ReviewedCall, signal: AbortSignal): Promise<Verdict> {
    const { kernel } = this.#parts;
    const process = await kernel.workspace(call.workspace).processes.find(call.pid);
    if (process === undefined || process.state === 'DEAD') return { kind: 'call', input: call.input }; // It makes no calls, as the gate says.
    return await hooks.beforeToolCall(await this.#payloadOf(call), signal);
  }

  async #payloadOf({ workspace, pid, callId, capability, input }: ReviewedCall): Promise<HookPayloads['before_tool_call']> {
    return { toolName: capability, input, callId, agent: await this.#agentOf(workspace, pid), pid };
  }

  async #agentOf(workspace: WorkspaceId, pid: number | undefined): Promise<string> {
    if (pid === undefined) return '';
    return (await this.#parts.kernel.workspace(workspace).processes.find(pid))?.agent ?? '';
  }

  /** Called within a commit. */
  #hear(workspace: WorkspaceId, { kind, pid, payload }: EventRecord): void {
    const point = POINT_OF[kind];
    if (point === undefined) return;
    const { hooks } = this.#of(workspace);
    if (!hooks.has(point, point === 'budget_breached' ? undefined : String(payload['capability']))) return;
    this.#tell(workspace, pid, point, async (signal) => {
      const agent = typeof payload['agent'] === 'string' ? payload['agent'] : await this.#agentOf(workspace, pid);
      if (point === 'budget_breached') {
        await hooks.run(point, { agent, dimension: String(payload['dim']), limit: Number(payload['granted']), pid }, signal);
        return;
      }
      const about = {
        approvalId: String(payload['approval_id']),
        callId: String(payload['call_id']),
        agent,
        capability: String(payload['capability']),
        pid,
      };
      if (point === 'approval_requested') await hooks.run(point, about, signal);
      else await hooks.run(point, { ...about, outcome: String(payload['state']) }, signal);
    });
  }

  /** Nobody waits for it. */
  #tell(workspace: WorkspaceId, pid: number | undefined, hook: HookPoint, run: (signal: AbortSignal) => Promise<void>): void {
    if (this.#closing.signal.aborted) return;
    const ofWorkspace = this.#telling.get(workspace) ?? 0;
    const all = this.#telling.values().reduce((sum, count) => sum + count, 0);
    if (ofWorkspace >= TELLING_OF_WORKSPACE_MAX || all >= TELLING_MAX) {
      const running = ofWorkspace >= TELLING_OF_WORKSPACE_MAX ? ofWorkspace : all;
      this.#append(workspace, pid, { hook, label: '', reason: `${running} others run: it was not told of` });
      return;
    }
    this.#telling.set(workspace, ofWorkspace + 1);
    const told = run(this.#closing.signal).catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#parts.say(`Hooks at ${hook} were not told: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#keep(told.finally(() => this.#wasTold(workspace)));
  }

  #wasTold(workspace: WorkspaceId): void {
    const others = (this.#telling.get(workspace) ?? 1) - 1;
    if (others === 0) this.#telling.delete(workspace);
    else this.#telling.set(workspace, others);
  }

  #note(workspace: WorkspaceId, { hook, label, reason }: HookFailure, payload: HookPayloads[HookFailure['hook']]): void {
    const callId = 'callId' in payload ? payload.callId : undefined;
    this.#append(workspace, 'pid' in payload ? payload.pid : undefined, {
      hook,
      label,
      reason,
      ...(callId !== undefined && { call_id: callId }),
    });
  }

  /** That a hook failed is an event, of the process it was about where there is one. */
  #append(workspace: WorkspaceId, pid: number | undefined, payload: JsonObject): void {
    const { kernel, say } = this.#parts;
    const text = `Hook ${String(payload['label'])} at ${String(payload['hook'])} failed: ${String(payload['reason'])}`;
    const written = kernel.store.workspace(workspace).write(({ events }) => events.append({ pid, kind: 'kernel.hook.failed', payload }));
    this.#keep(
      written.then(
        () => {},
        () => say(text), // The workspace is gone, or the disk full.
      ),
    );
  }

  /** Closing waits for it. It never rejects. */
  #keep(work: Promise<void>): void {
    const kept = work.finally(() => this.#work.delete(kept));
    this.#work.add(kept);
  }
}

const POINT_OF: Readonly<Record<string, Exclude<HookPoint, 'before_tool_call' | 'after_tool_call'>>> = {
  'kernel.approval.requested': 'approval_requested',
  'kernel.approval.decided': 'approval_decided',
  'kernel.ledger.breached': 'budget_breached',
};

function resultOf(answer: Answer): JsonValue {
  if (answer.kind === 'done') return { state: 'done', output: answer.output };
  if (answer.kind === 'pending') return { state: 'pending' };
  return { state: 'failed', error: { type: answer.error.type, message: answer.error.message } };
}

/** What a hook that is tried is told. */
function sampleOf({ callId, capability, input, agent, pid }: ReviewedCall & { readonly agent: string }): Pick<HookPayloads, HookPoint> {
  const call = { toolName: capability, input, callId, agent, pid };
  const approval = { approvalId: 'approval_of_a_trial', callId, agent, capability, pid };
  return {
    before_tool_call: call,
    after_tool_call: { ...call, result: { state: 'done', output: {} } },
    approval_requested: approval,
    approval_decided: { ...approval, outcome: 'approved' },
    budget_breached: { agent, dimension: 'calls', limit: 1, pid },
  };
}

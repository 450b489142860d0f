/**
 * Calls that agents asked for at a later time. Each is made through the gate as the agent that asked for it, in the name of a process that is noted before, under a key of its
 * time: a crash between the call and the note that it was made finds its answer there and makes no second one. While a job runs it is not due again; times it
 * missed count once.
 */
import { type Actor, type Answer, type Gate, type Kernel, mergeLabels, nextRun, type WorkspaceKernel } from '@warren/kernel';
import { isFault, type WorkspaceId } from '@warren/protocol';
import { newestProcess } from '../handler/comms/agents-of.ts';
import { deleteJob, type Job, ownerOf, readJobs, writeJob } from './job.ts';

/** Timers of the machine do not notice that its clock was set. */
const WAIT_MS_MAX = 60_000;
/** Of one agent. */
const JOBS_MAX = 100;
const INPUT_BYTES_MAX = 65_536;
const RUNNING_MAX = 64;
/** Of one owner: what takes long keeps nobody else from their turn. */
const OWN_RUNNING_MAX = 4;
const RETRY_MS = 30_000;

export type NewJob = Pick<Job, 'capability' | 'inputs' | 'cron' | 'description' | 'nextAt' | 'taint'>;

export type Created =
  | { readonly kind: 'created'; readonly job: Job }
  | { readonly kind: 'too_many'; readonly jobs: number; readonly limit: number }
  | { readonly kind: 'too_large'; readonly limitBytes: number };

export type ScheduledCallsParts = {
  readonly kernel: Pick<Kernel, 'workspace' | 'workspaces'>;
  readonly gate: Pick<Gate, 'call' | 'taints'>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly say: (message: string) => void;
};

/** `dueAt`: its time, or later when it could not be made then. */
type Planned = { readonly job: Job; readonly workspace: WorkspaceId; readonly owner: string; readonly dueAt: number };

export class ScheduledCalls implements AsyncDisposable {
  readonly #parts: ScheduledCallsParts;
  readonly #planned = new Map<string, Planned>();
  readonly #running = new Map<string, { readonly owner: string; readonly ended: Promise<void> }>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ScheduledCallsParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { kernel } = this.#parts;
    for (const id of await kernel.workspaces.used()) {
      for (const job of await readJobs(kernel.workspace(id))) this.#plan(id, job);
    }
    this.#arm();
  }

  async create(actor: Actor, request: NewJob): Promise<Created> {
    const { kernel, gate, newId, now } = this.#parts;
    const { workspace, pid, agent } = actor;
    const jobs = this.list(actor).length;
    if (jobs >= JOBS_MAX) return { kind: 'too_many', jobs, limit: JOBS_MAX };
    if (Buffer.byteLength(JSON.stringify(request.inputs)) > INPUT_BYTES_MAX) return { kind: 'too_large', limitBytes: INPUT_BYTES_MAX };
    const carried = (await gate.taints(workspace, pid)).map(({ label }) => label);
    const taint = mergeLabels(carried, request.taint) ?? [];
    const job: Job = { ...request, id: newId(), agent, pid, taint, createdAt: now(), caller: undefined };
    await writeJob(kernel.workspace(workspace), job);
    this.#plan(workspace, job);
    this.#arm();
    return { kind: 'created', job };
  }

  /** Its own, by id. */
  list({ workspace, ...actor }: Actor): readonly Job[] {
    const owner = ownerIn(workspace, actor);
    return [...this.#planned.values()]
      .filter((planned) => planned.owner === owner)
      .map(({ job }) => job)
      .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Whether it was there, and its own. A call of it that is under way goes on. */
  async delete({ workspace, ...actor }: Actor, id: string): Promise<boolean> {
    const key = keyOf(workspace, id);
    const found = this.#planned.get(key);
    if (found === undefined || found.owner !== ownerIn(workspace, actor)) return false;
    this.#planned.delete(key); // First: a call of it that ends now does not write it anew.
    try {
      await deleteJob(this.#parts.kernel.workspace(workspace), found.job);
    } catch (error) {
      this.#planned.set(key, found);
      throw error;
    }
    return true;
  }

  /** Makes no calls from now on. Those under way end as they would; what the end of the gate cuts off, and may be repeated, stays due. */
  stop(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  /** The workspace is being deleted: nothing is planned there any more. Calls under way are the gate's to stop. */
  async stopWorkspace(workspace: WorkspaceId): Promise<Disposable> {
    const prefix = keyOf(workspace, '');
    for (const key of [...this.#planned.keys()]) if (key.startsWith(prefix)) this.#planned.delete(key);
    await Promise.all([...this.#running].flatMap(([key, { ended }]) => (key.startsWith(prefix) ? [ended] : [])));
    for (const key of [...this.#planned.keys()]) if (key.startsWith(prefix)) this.#planned.delete(key); // One that was running plans its next.
    this.#arm();
    return { [Symbol.dispose]() {} };
  }

  /** Makes the calls that are due, and resolves when they have ended. A timer calls it; a test that moves the clock does too. */
  async tick(): Promise<void> {
    const now = this.#parts.now();
    const begun: Promise<void>[] = [];
    const due = [...this.#planned].filter(([, { dueAt }]) => dueAt <= now).toSorted(([, one], [, other]) => one.dueAt - other.dueAt);
    for (const [key, planned] of due) {
      if (this.#closing.signal.aborted || !this.#hasRoom(key, planned.owner)) continue;
      const ended = this.#run(key, planned).finally(() => {
        this.#running.delete(key);
        this.#arm();
      });
      this.#running.set(key, { owner: planned.owner, ended });
      begun.push(ended);
    }
    this.#arm();
    await Promise.all(begun);
  }

  #plan(workspace: WorkspaceId, job: Job, dueAt = job.nextAt): void {
    this.#planned.set(keyOf(workspace, job.id), { job, workspace, owner: ownerIn(workspace, job), dueAt });
  }

  #hasRoom(key: string, owner: string): boolean {
    if (this.#running.has(key) || this.#running.size >= RUNNING_MAX) return false;
    return [...this.#running.values()].filter((running) => running.owner === owner).length < OWN_RUNNING_MAX;
  }

  /** For the earliest that may run: whoever ends arms it again. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [key, { dueAt, owner }] of this.#planned) if (dueAt < earliest && this.#hasRoom(key, owner)) earliest = dueAt;
    if (earliest === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(0, earliest - this.#parts.now()), WAIT_MS_MAX);
    this.#timer = setTimeout(() => void this.tick(), waitMs).unref();
  }

  /** Never rejects. */
  async #run(key: string, { job, workspace }: Planned): Promise<void> {
    const { kernel, say, now } = this.#parts;
    try {
      const mine = kernel.workspace(workspace);
      const pid = await callerOf(mine, job);
      if (pid === undefined) await this.#missed(mine, job);
      else if ((await this.#call(key, workspace, { ...job, caller: pid })) === 'again') return;
      if (!this.#planned.has(key)) return; // It was deleted meanwhile.
      // A process that has ended makes no calls, and nothing runs for it any more.
      const isOver = job.agent === '' && pid === undefined;
      const nextAt = job.cron === undefined || isOver ? undefined : nextRun(job.cron, Math.max(job.nextAt, now()));
      if (nextAt === undefined) {
        await deleteJob(mine, job);
        this.#planned.delete(key);
      } else {
        const next = { ...job, nextAt, caller: undefined };
        await writeJob(mine, next);
        if (this.#planned.has(key)) this.#plan(workspace, next);
        else await deleteJob(mine, next);
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return; // It stays due on disk.
      say(`Job ${job.id} of ${ownerOf(job)} could not be run: ${error instanceof Error ? error.message : String(error)}`);
      const planned = this.#planned.get(key);
      if (planned !== undefined) this.#planned.set(key, { ...planned, dueAt: now() + RETRY_MS }); // Under the key of its time, not of this one.
    }
  }

  /** `again`: Warren stops, and it is made at the next start. */
  async #call(key: string, workspace: WorkspaceId, job: Job & { readonly caller: number }): Promise<'made' | 'again'> {
    const { kernel, gate } = this.#parts;
    const { id, caller: pid, capability, inputs, taint, nextAt } = job;
    await writeJob(kernel.workspace(workspace), job);
    const planned = this.#planned.get(key);
    if (planned === undefined) {
      await deleteJob(kernel.workspace(workspace), job);
      return 'made';
    }
    this.#planned.set(key, { ...planned, job });
    const via = { kind: 'schedule', name: id } as const;
    const request = { pid, capability, input: inputs, taint, idempotencyKey: `schedule:${id}:${nextAt}`, onAsk: 'return', via } as const;
    try {
      const answer = await gate.call(workspace, request); // What came of it is in the audit.
      if (this.#closing.signal.aborted && isCutOff(answer))
        return await this.#cutOff(kernel.workspace(workspace), job, answer.error.retryable);
    } catch (error) {
      if (!isFault(error, 'conflict') && !isFault(error, 'unknown_pid')) throw error; // Its process ended just now: as if there were none.
    }
    return 'made';
  }

  /** The answer of its key is that it was cut off: it is made again under another. What must not be repeated is over, and somebody should know. */
  async #cutOff(mine: WorkspaceKernel, job: Job, mayBeRepeated: boolean): Promise<'made' | 'again'> {
    if (mayBeRepeated) {
      await writeJob(mine, { ...job, nextAt: job.nextAt + 1, caller: undefined });
      return 'again';
    }
    const message = `The call of ${job.capability} scheduled as ${job.id} was cut off when Warren stopped; how far it came is not known`;
    await mine.alerts.send({ message, severity: 'warning', agent: job.agent }).catch(() => {}); // The audit says it.
    return 'made';
  }

  /** What is to come again will be made at another time; what was to be made once will not, and somebody should know. */
  async #missed({ alerts }: WorkspaceKernel, job: Job): Promise<void> {
    const message = `The call of ${job.capability} scheduled as ${job.id} was not made: ${ownerOf(job)} has no process`;
    this.#parts.say(message);
    if (job.cron !== undefined) return;
    await alerts.send({ message, severity: 'warning', agent: job.agent }).catch(() => {}); // It was said.
  }

  /** Calls under way end as they would: whoever asked for them cannot ask again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }
}

function isCutOff(answer: Answer): answer is Extract<Answer, { readonly kind: 'failed' }> {
  return answer.kind === 'failed' && answer.error.type === 'Cancelled';
}

/** In whose name the call is made. What was begun before a crash is finished in the name in which it was begun. */
async function callerOf(mine: WorkspaceKernel, { agent, pid, caller }: Job): Promise<number | undefined> {
  if (caller !== undefined) return caller;
  if (agent !== '') return (await newestProcess(mine, agent))?.pid;
  const process = await mine.processes.find(pid);
  return process === undefined || process.state === 'DEAD' ? undefined : pid;
}

function keyOf(workspace: WorkspaceId, id: string): string {
  return `${workspace}/${id}`;
}

/** No workspace has a slash in its name. */
function ownerIn(workspace: WorkspaceId, job: Pick<Job, 'agent' | 'pid'>): string {
  return `${workspace}/${ownerOf(job)}`;
}

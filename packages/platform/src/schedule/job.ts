/** A call that is to be made later, once or again and again. */
import type { WorkspaceKernel } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';

export type Job = {
  readonly id: string;
  /** Whose; empty for a process that runs for no agent. */
  readonly agent: string;
  /** Who asked for it. */
  readonly pid: number;
  readonly capability: string;
  readonly inputs: JsonObject;
  /** Undefined: once. */
  readonly cron: { readonly pattern: string; readonly zone: string } | undefined;
  readonly description: string;
  /** Labels that the process carried when it asked: the arguments derive from what it had read. */
  readonly taint: readonly string[];
  readonly createdAt: number;
  readonly nextAt: number;
  /** The process in whose name the call of `nextAt` is made, noted before it is: another one would make a second call. */
  readonly caller: number | undefined;
};

type State = Pick<WorkspaceKernel, 'state'>;

/** Owners that have or had jobs; the jobs of each stand in a scope of their own, so that nobody fills that of another. */
const OWNERS = { kind: 'own', name: 'job-owners' } as const;
const PAGE = 1_000;

export async function readJobs({ state }: State): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  for await (const { key: owner } of entriesOf({ state }, OWNERS.name)) {
    for await (const { value } of entriesOf({ state }, nameOf(owner))) jobs.push(toJob(value as JsonObject)); // `writeJob` wrote it.
  }
  return jobs;
}

export async function writeJob({ state }: State, job: Job): Promise<void> {
  const owner = ownerOf(job);
  if ((await state.get(OWNERS, owner)) === undefined) await state.set(OWNERS, owner, true);
  await state.set({ kind: 'own', name: nameOf(owner) }, job.id, { ...job, cron: job.cron ?? null, caller: job.caller ?? null });
}

export async function deleteJob({ state }: State, job: Job): Promise<void> {
  await state.delete({ kind: 'own', name: nameOf(ownerOf(job)) }, job.id);
}

export function ownerOf({ agent, pid }: Pick<Job, 'agent' | 'pid'>): string {
  return agent === '' ? `process:${pid}` : `agent:${agent}`;
}

async function* entriesOf({ state }: State, name: string) {
  for (let after: string | undefined; ; ) {
    const { entries, next } = await state.list({ kind: 'own', name }, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* entries;
    if (next === undefined) return;
    after = next;
  }
}

function nameOf(owner: string): string {
  return `jobs/${owner}`;
}

function toJob(value: JsonObject): Job {
  return { ...value, cron: value['cron'] ?? undefined, caller: value['caller'] ?? undefined } as unknown as Job; // As above.
}

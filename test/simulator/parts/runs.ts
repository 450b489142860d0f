import assert from 'node:assert/strict';
import type { EventRecord, RunState, RunStep, RunSummary } from '@warren/kernel';
import { keep } from '../notes.ts';
import type { Asking, Known, Model, Part, Told } from '../part.ts';
import { optional, somePid } from './processes.ts';

/** Only who has the lease adds these; a message may come from anybody, and a note says that somebody stopped it. */
const STEPS = ['model', 'call', 'summary'] as const;
const OUTCOMES = ['completed', 'failed', 'max_turns', 'stopped'] as const;
const NO_LEASE = { run: 1, entry: 1, fence: 1 };

type Kept = Omit<RunSummary, 'state' | 'bytes'> & {
  readonly kinds: readonly string[];
  /** The step up to which it had read when it began to wait. */
  readonly readThrough: number;
};

export class RunModel implements Model {
  readonly #known: Known;
  readonly #all = new Map<number, Kept>();
  #lastId = 0;
  /** Entries that stopped in this transaction. */
  readonly #stopped = new Set<number>();
  readonly #hearers: Readonly<Record<string, (event: EventRecord, run: Kept) => void>> = {
    stepped: (event, run) => this.#step(event, run),
    started: ({ at }, run) => this.#put({ ...run, startedAt: run.startedAt ?? at, waitsFor: undefined }),
    waiting: (event, run) => this.#wait(event, run),
    queued: ({ payload }, run) => this.#put({ ...run, entry: Number(payload['sched_id']), waitsFor: undefined }),
    ended: (event, run) => this.#end(event, run),
  };

  constructor(known: Known) {
    this.#known = known;
  }

  hear(event: EventRecord): void {
    const { kind, payload } = event;
    if (/^kernel\.queue\.(completed|cancelled|expired|dead)$/.test(kind)) this.#stopped.add(Number(payload['sched_id']));
    if (!kind.startsWith('kernel.run.')) return;
    if (kind === 'kernel.run.created') this.#create(event);
    else if (kind === 'kernel.run.purged') this.#purge(event);
    else this.#change(event);
  }

  #change(event: EventRecord): void {
    const { kind, payload } = event;
    const run = this.#all.get(Number(payload['run']));
    const hearer = this.#hearers[kind.slice('kernel.run.'.length)];
    if (hearer === undefined || run === undefined) throw new Error(`Unheard of: ${kind} of run ${payload['run']}`);
    if (run.endedAt !== undefined) throw new Error(`${kind}: run ${run.id} has ended`);
    if (run.pid !== event.pid) throw new Error(`${kind}: run ${run.id} is of process ${run.pid}`);
    hearer(event, run);
  }

  /** Nobody is left behind: whatever a run that has not ended rests on is there. */
  rest(): void {
    const pids = new Set<number>();
    for (const run of this.#all.values()) {
      if (run.endedAt !== undefined) continue;
      const { id, pid, entry, waitsFor } = run;
      if (pids.has(pid)) throw new Error(`Process ${pid} has two runs`);
      pids.add(pid);
      if (!this.#known.processes.isAlive(pid)) throw new Error(`Run ${id} goes on, and its process ${pid} is DEAD`);
      if (entry === undefined && waitsFor === undefined) throw new Error(`Run ${id} has no entry and waits for nothing`);
      if (entry !== undefined && this.#stopped.has(entry)) throw new Error(`Run ${id} goes on, and its entry ${entry} stopped`);
      if (entry === undefined) this.#checkWaiting(run);
    }
    this.#stopped.clear();
  }

  state() {
    return [...this.#all.values()].map(({ readThrough: _, ...run }) => run);
  }

  #checkWaiting({ id, waitsFor, kinds, readThrough }: Kept): void {
    if (kinds.slice(readThrough + 1).includes('message')) throw new Error(`Run ${id} waits, and has not read all its messages`);
    for (const child of (waitsFor?.['runs'] ?? []) as readonly number[])
      if (this.#all.get(child)?.endedAt !== undefined) throw new Error(`Run ${id} waits for run ${child}, which has ended`);
  }

  #create({ pid = 0, at, payload }: EventRecord): void {
    const id = Number(payload['run']);
    if (id !== this.#lastId + 1) throw new Error(`Run ${id} was made after ${this.#lastId}`);
    this.#lastId = id;
    const { agent, parentPid } = this.#known.processes.get(pid);
    const parent = [...this.#all.values()].find((each) => each.pid === parentPid && each.endedAt === undefined)?.id;
    if (optional(payload['parent']) !== parent) throw new Error(`Run ${id} was started by ${parent}, not by ${payload['parent']}`);
    this.#put({
      ...{ id, pid, agent, parent, session: optional<string>(payload['session']), title: String(payload['title']) },
      ...{ priority: Number(payload['priority']), entry: Number(payload['sched_id']), waitsFor: undefined, readThrough: -1 },
      ...{ outcome: undefined, steps: 0, kinds: [], tokens: 0, costMicro: 0, createdAt: at, startedAt: undefined, endedAt: undefined },
    });
  }

  #step({ payload }: EventRecord, run: Kept): void {
    if (payload['seq'] !== run.steps) throw new Error(`Step ${payload['seq']} of run ${run.id} came after ${run.steps}`);
    const tokens = run.tokens + Number(payload['tokens'] ?? 0);
    const costMicro = run.costMicro + Number(payload['cost_micro'] ?? 0);
    this.#put({ ...run, steps: run.steps + 1, kinds: [...run.kinds, String(payload['kind'])], tokens, costMicro });
  }

  #wait({ payload }: EventRecord, run: Kept): void {
    const { run: _, after, sched_id: entry, ...waitsFor } = payload;
    this.#put({ ...run, waitsFor, entry: optional<number>(entry), readThrough: Number(after) });
  }

  #end({ at, payload }: EventRecord, run: Kept): void {
    const { steps, tokens, costMicro, kinds } = run;
    const told = [payload['steps'], payload['tokens'], payload['cost_micro'], kinds.at(-1)];
    assert.deepEqual(told, [steps, tokens, costMicro, 'end'], `the end of run ${run.id} tells what it was`);
    const outcome = payload['outcome'] as RunSummary['outcome']; // A wrong one differs from what is held.
    this.#put({ ...run, outcome, endedAt: at, entry: undefined, waitsFor: undefined });
  }

  #purge({ payload }: EventRecord): void {
    const ended = [...this.#all.values()].filter(({ endedAt }) => endedAt !== undefined);
    const oldest = ended.toSorted((one, other) => (one.endedAt ?? 0) - (other.endedAt ?? 0) || one.id - other.id);
    const count = Number(payload['count']);
    for (const { id } of oldest.slice(0, count)) this.#all.delete(id);
    if (ended.length - count < this.#known.limits.finishedEntriesMax)
      throw new Error(`Only ${ended.length - count} runs that ended are left`);
  }

  #put(run: Kept): void {
    this.#all.set(run.id, run);
  }
}

export const runs: Part = {
  name: 'runs',
  weight: 3,

  opening: [create, create, createChild],

  asks: [
    create,
    createChild,
    append,
    append,
    park,
    park,
    async (asking) => {
      const { mine, random, notes } = asking;
      const lease = someLease(asking);
      const outcome = random.pick(OUTCOMES);
      await mine.runs.end(lease.run, lease, outcome, { of: outcome });
      notes.leases.splice(0, notes.leases.length, ...notes.leases.filter(({ run }) => run !== lease.run));
      return [{ kind: 'kernel.run.ended', payload: { run: lease.run, outcome } }];
    },
    async (asking) => {
      const run = someRun(asking);
      const seq = await asking.mine.runs.post(run, { of: 'message' });
      return [{ kind: 'kernel.run.stepped', payload: { run, seq, kind: 'message' } }];
    },
    async (asking) => {
      const run = someRun(asking);
      return (await asking.mine.runs.wake(run)) ? [{ kind: 'kernel.run.queued', payload: { run } }] : [];
    },
    async (asking) => {
      const run = someRun(asking);
      if (asking.random.chance(0.5)) return []; // Or there would be none left.
      await asking.mine.runs.stop(run, 'enough');
      return []; // Somebody else may have ended it before.
    },
    work,
    family,
    family,
  ],

  createModel: (known) => new RunModel(known),

  async observe({ mine }) {
    const all = await mine.runs.list({}, { limit: 1_000 });
    const listed = (await mine.queue.list({}, { limit: 10_000 })).entries;
    const entries = new Map(listed.map((each) => [each.id, each.state]));
    const queued = listed.filter((each) => each.trigger === 'kernel.run' && each.state === 'queued').map(({ id }) => id);
    const awaited = all.flatMap(({ entry }) => (entry !== undefined && entries.get(entry) === 'queued' ? [entry] : []));
    assert.deepEqual(
      queued,
      awaited.toSorted((one, other) => one - other),
      'each entry that waits for a run is the one of a run',
    );
    return await Promise.all(
      all.toReversed().map(async ({ state, bytes, ...run }) => {
        const steps = await mine.runs.steps(run.id);
        assert.equal(bytes, sizeOf(steps), `run ${run.id} counts the bytes of its steps`);
        assert.ok(
          STATES[stateOf(run, entries)].includes(state),
          `run ${run.id} is ${state} and its entry ${run.entry} ${stateOf(run, entries)}`,
        );
        return { ...run, kinds: steps.map(({ kind }) => kind) };
      }),
    );
  },
};

/** What a run can be when its entry is this. */
const STATES: Readonly<Record<'ended' | 'none' | 'queued' | 'dispatched' | 'over', readonly RunState[]>> = {
  ended: ['ended'],
  none: ['waiting'],
  queued: ['queued', 'waiting'],
  dispatched: ['running'],
  over: [],
};

function stateOf({ endedAt, entry }: Pick<RunSummary, 'endedAt' | 'entry'>, entries: ReadonlyMap<number, string>): keyof typeof STATES {
  if (endedAt !== undefined) return 'ended';
  if (entry === undefined) return 'none';
  const state = entries.get(entry);
  return state === 'queued' || state === 'dispatched' ? state : 'over';
}

function sizeOf(steps: readonly RunStep[]): number {
  return steps.reduce((sum, { body }) => sum + Buffer.byteLength(JSON.stringify(body)), 0);
}

async function create(asking: Asking): Promise<readonly Told[]> {
  return await createOf(asking, asking.random.chance(0.3) ? somePid(asking) : undefined, undefined);
}

async function createChild(asking: Asking): Promise<readonly Told[]> {
  return await createOf(asking, undefined, somePid(asking));
}

/** Of this process, or of a new one. */
async function createOf(
  { mine, random, notes }: Asking,
  known: number | undefined,
  parentPid: number | undefined,
): Promise<readonly Told[]> {
  const [session, priority, onParentEnd] = [random.find(['s', undefined]), random.below(3), random.pick(['end', 'detach'] as const)];
  const pid = known ?? (await mine.processes.create({ name: 'r', template: 't', agent: 'runner', parentPid, onParentEnd })).pid;
  notes.lastPid = Math.max(notes.lastPid, pid);
  const { id } = await mine.runs.create({ pid, task: { of: 'task' }, title: 'Mend', session, priority });
  keep(notes.runs, id);
  return [{ kind: 'kernel.run.created', pid, payload: { run: id, priority } }];
}

async function append(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const lease = someLease(asking);
  const kinds = [random.pick(STEPS), random.find([...STEPS, undefined])].filter((kind) => kind !== undefined);
  const used = { tokens: random.below(9), costMicro: random.below(3) };
  const seq = await mine.runs.append(lease.run, lease, kinds.map((kind) => ({ kind, body: { of: kind } })), used); // biome-ignore format: one line
  return kinds.map((kind, index) => ({ kind: 'kernel.run.stepped', payload: { run: lease.run, seq: seq + index, kind } }));
}

async function park(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, now } = asking;
  const lease = someLease(asking);
  const until = random.chance(0.4) ? now + random.below(60_000) : undefined;
  const [after, awaits] = [random.below(6) - 1, random.chance(0.5)];
  const children = awaits ? (await mine.runs.list({ parent: lease.run })).map(({ id }) => id) : [];
  const state = await mine.runs.park(lease.run, lease, { for: { of: 'sim' }, after, until, runs: children });
  return state === 'ended' ? [] : [{ kind: 'kernel.run.waiting', payload: { run: lease.run, after } }];
}

/** As a runner does: claims, adds a step, and waits or ends. */
async function work(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, notes } = asking;
  const [limit, leaseMs, ending] = [1 + random.below(3), 1_000 + random.below(40_000), random.pick(['leaves', 'parks', 'ends'] as const)];
  const told: Told[] = [];
  for (const { entry, fence } of await mine.queue.claim({ worker: 'w1', areRuns: true, limit, leaseMs })) {
    const lease = { run: Number(entry.payload['run'] ?? 0), entry: entry.id, fence };
    keep(notes.claims, { id: entry.id, fence });
    if (entry.trigger !== 'kernel.run') continue; // Its lease runs out, or somebody else ends it.
    keep(notes.leases, lease);
    const seq = await mine.runs.append(lease.run, lease, [{ kind: 'model', body: { of: 'model' } }]);
    told.push({ kind: 'kernel.run.stepped', payload: { run: lease.run, seq, kind: 'model' } });
    if (ending === 'parks') await mine.runs.park(lease.run, lease, { for: { of: 'sim' }, after: seq });
    else if (ending === 'ends') await mine.runs.end(lease.run, lease, 'completed', {});
  }
  return told;
}

/** A run that starts another and waits for it, while messages come and time passes: what it waits for comes before, after or at the same time. */
async function family(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, notes, now } = asking;
  const [isEarly, isEnding, isTold, isTimed] = [random.chance(0.3), random.chance(0.6), random.chance(0.4), random.chance(0.4)];
  const until = isTimed ? now + random.below(5_000) : undefined;
  const parent = await mine.processes.create({ name: 'r', template: 't', agent: 'runner' });
  const child = await mine.processes.create({ name: 'r', template: 't', agent: 'runner', parentPid: parent.pid });
  notes.lastPid = Math.max(notes.lastPid, child.pid);
  const [{ id: run }, { id: below }] = [
    await mine.runs.create({ pid: parent.pid, task: { of: 'task' } }),
    await mine.runs.create({ pid: child.pid, task: { of: 'task' } }),
  ];
  keep(notes.runs, run, below);
  const leases = (await mine.queue.claim({ worker: 'w2', areRuns: true, limit: 100, leaseMs: 20_000 })).flatMap(({ entry, fence }) =>
    entry.trigger === 'kernel.run' ? [{ run: Number(entry.payload['run']), entry: entry.id, fence }] : [],
  );
  keep(notes.leases, ...leases);
  const [mineOf, belowOf] = [run, below].map((id) => leases.find((each) => each.run === id));
  if (mineOf === undefined) return [];
  const waiting = () => mine.runs.park(run, mineOf, { for: { of: 'sim' }, after: 0, until, runs: [below] });
  const ending = async () => {
    if (isTold) await mine.runs.post(run, { of: 'message' });
    if (isEnding && belowOf !== undefined) await mine.runs.end(below, belowOf, 'completed', {});
  };
  for (const act of isEarly ? [ending, waiting] : [waiting, ending]) await act();
  return [{ kind: 'kernel.run.waiting', payload: { run, after: 0 } }];
}

function someRun({ random, notes }: Asking): number {
  return random.find(notes.runs) ?? 1;
}

/** One that somebody has or had, or one that nobody was given. */
function someLease({ random, notes }: Asking): { readonly run: number; readonly entry: number; readonly fence: number } {
  const guess = { ...NO_LEASE, run: random.find(notes.runs) ?? 1, entry: random.find(notes.entries) ?? 1 };
  return random.chance(0.9) ? (random.find(notes.leases) ?? guess) : guess;
}

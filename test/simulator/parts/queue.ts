import type { EventRecord, QueueEntry, ScheduledClaim } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import { keep, type Notes } from '../notes.ts';
import type { Asking, Known, Last, Model, Moment, Part, Told } from '../part.ts';
import { abortSoon, whileWaiting } from '../waiting.ts';
import { optional, somePid } from './processes.ts';

/** What an entry is queued with, besides what its event tells, follows from its trigger. */
const KINDS = {
  plain: { backoffMs: 1_000 },
  quick: { backoffMs: 0 },
  slow: { backoffMs: 20_000 },
  'key-1': { backoffMs: 500, dedupeKey: 'key-1' },
  'key-2': { backoffMs: 500, dedupeKey: 'key-2' },
  'kernel.run': { backoffMs: 1_000 },
  series: { backoffMs: 100, cron: { pattern: '* * * * *', zone: 'Europe/Berlin' } },
} as const;
type Trigger = keyof typeof KINDS;
const TRIGGERS = ['plain', 'plain', 'quick', 'slow', 'key-1', 'key-2', 'series'] as const satisfies Trigger[];
const ENDINGS = ['failed', 'released', 'completed', 'completed'] as const;
const WORKERS = ['w1', 'w2'] as const;
const AGEING_MS = 60_000;
const JITTER = 0.1;
const QUEUE_STATES = ['queued', 'dispatched', 'completed', 'expired', 'cancelled', 'dead'] as const;
const FINAL = ['completed', 'cancelled', 'expired', 'dead'];

type Kept = QueueEntry & {
  readonly fence: number;
  readonly leaseMs: number;
  /** Its claim has the process for itself. */
  readonly isAlone: boolean;
  readonly isSeries: boolean;
  readonly dedupeKey: string | undefined;
};

export class QueueModel implements Model {
  readonly #known: Known;
  readonly #all = new Map<number, Kept>();
  #lastId = 0;
  /** Entries of a series that ended, by the event: the next has to be queued. */
  readonly #ended = new Map<number, Kept>();
  readonly #hearers: Readonly<Record<string, (event: EventRecord) => void>> = {
    enqueued: (event) => this.#enqueue(event),
    claimed: (event) => this.#claim(event),
    lease_prolonged: (event) => this.#prolong(event),
    completed: (event) => this.#complete(event),
    failed: (event) => this.#fail(event, String(event.payload['error'])),
    lease_expired: (event) => this.#takeBack(event),
    retried: (event) => this.#retry(event),
    dead: (event) => this.#bury(event),
    released: (event) => this.#release(event),
    cancelled: (event) => this.#cancel(event),
    expired: (event) => this.#expire(event),
    requeued: (event) => this.#requeue(event),
    recovered: (event) => this.#recover(event),
    purged: (event) => this.#purge(event),
    due: () => {},
    held: (event) => this.#hold(event),
    readmitted: () => {},
    progressed: (event) => this.#credit(event),
  };

  constructor(known: Known) {
    this.#known = known;
  }

  hear(event: EventRecord): void {
    const { kind, payload, causationId } = event;
    if (kind === 'kernel.process.transitioned' && payload['reason'] === 'queue:claimed') this.#startProcess(event);
    if (kind.startsWith('kernel.run.')) this.#name(event);
    if (!kind.startsWith('kernel.queue.')) return;
    const hearer = this.#hearers[kind.slice('kernel.queue.'.length)];
    if (hearer === undefined) throw new Error(`Unheard of: ${kind}`);
    hearer(event);
    if (kind === 'kernel.queue.enqueued' && causationId !== undefined) this.#ended.delete(causationId);
  }

  rest(): void {
    for (const [eventId, { id, pid }] of this.#ended)
      if (this.#known.processes.isAlive(pid)) throw new Error(`The series of entry ${id} ended with event ${eventId}`);
    this.#ended.clear();
    const keys = new Set<string>();
    for (const { id, pid, state, dedupeKey } of this.#all.values()) {
      if (state === 'queued' && !this.#known.processes.isAlive(pid)) throw new Error(`Entry ${id} waits for process ${pid}, which is DEAD`);
      if (dedupeKey === undefined || (state !== 'queued' && state !== 'dispatched')) continue;
      if (keys.has(`${pid}:${dedupeKey}`)) throw new Error(`Two entries of process ${pid} have the key ${dedupeKey}`);
      keys.add(`${pid}:${dedupeKey}`);
    }
  }

  start({ startedAt }: Moment): void {
    for (const { id, pid, state, leaseUntil = 0, leaseMs } of this.#all.values())
      if (state === 'dispatched' && leaseUntil < startedAt + leaseMs)
        throw new Error(`The lease of entry ${id} of process ${pid} went on while the kernel was down`);
  }

  state() {
    const entries = [...this.#all.values()].map(toEntry);
    return {
      entries,
      totals: Object.fromEntries(QUEUE_STATES.map((state) => [state, entries.filter((each) => each.state === state).length])),
    };
  }

  /** What a claim finds, best first: of each process as far as its best are of the kind that is asked for. */
  claimable(now: number, { isAlone, areRuns }: ClaimedKind): readonly number[] {
    const { processes, ledger, limits } = this.#known;
    const dispatched = [...this.#all.values()].filter(({ state }) => state === 'dispatched');
    const lanes = [...processes.all.values()].map(({ pid, state }) => {
      const running = dispatched.filter((each) => each.pid === pid);
      const isTaken = running.some((each) => each.isAlone);
      const isOpen = isAlone
        ? (state === 'READY' || state === 'WAITING') && running.length === 0
        : state !== 'SUSPENDED' && state !== 'DEAD';
      if (isTaken || !isOpen || (isAlone && ledger.isSpent(pid))) return [];
      const waiting = [...this.#all.values()].filter((each) => each.pid === pid && isDue(each, now)).toSorted(byRank);
      const other = waiting.findIndex(({ trigger }) => (trigger === 'kernel.run') !== areRuns);
      const claimable = other < 0 ? waiting : waiting.slice(0, other);
      return isAlone ? claimable.slice(0, 1) : claimable;
    });
    const room = Math.max(0, limits.runningMax - dispatched.length);
    return lanes.flat().toSorted(byRank).slice(0, room).map(({ id }) => id); // biome-ignore format: one line
  }

  #get({ kind, pid, payload }: EventRecord, state: QueueEntry['state']): Kept {
    const id = Number(payload['sched_id']);
    const found = this.#all.get(id);
    if (found === undefined || found.pid !== pid) throw new Error(`${kind}: entry ${id} of process ${pid} is not there`);
    if (found.state !== state) throw new Error(`${kind}: entry ${id} is ${found.state}`);
    const fence = payload['fence'];
    if (fence !== undefined && fence !== found.fence) throw new Error(`${kind}: entry ${id} has fence ${found.fence}, not ${fence}`);
    return found;
  }

  #put(before: Kept, change: Partial<Kept>): Kept {
    const after = { ...before, ...change };
    this.#all.set(after.id, after);
    return after;
  }

  #enqueue({ pid = 0, at, payload, causationId }: EventRecord): void {
    const id = Number(payload['sched_id']);
    if (id <= this.#lastId) throw new Error(`Entry ${id} was queued after ${this.#lastId}`);
    this.#lastId = id;
    if (!this.#known.processes.isAlive(pid)) throw new Error(`Entry ${id} is of process ${pid}, which is DEAD`);
    const trigger = String(payload['trigger']);
    const { backoffMs } = KINDS[trigger as Trigger]; // Or this throws.
    const pattern = optional<string>(payload['cron']);
    const entry: Kept = {
      ...{ id, pid, priority: Number(payload['priority']), runnableAt: Number(payload['runnable_at']), trigger, backoffMs, createdAt: at },
      ...{ deadline: optional<number>(payload['deadline']), payload: { of: trigger }, attemptsMax: Number(payload['attempts_max']) },
      ...{ dedupeKey: optional<string>(payload['dedupe_key']), isSeries: pattern !== undefined },
      ...{ ...NOBODYS, state: 'queued', completedAt: undefined, exitKind: undefined, error: undefined, attempts: 0, fence: 0, leaseMs: 0 },
      cron: pattern === undefined ? undefined : { pattern, zone: KINDS.series.cron.zone },
    };
    this.#all.set(id, entry);
    if (causationId === undefined) return;
    const previous = this.#ended.get(causationId);
    if (previous?.pid !== pid || previous.trigger !== trigger) throw new Error(`Entry ${id} continues no series`);
    if (entry.runnableAt <= previous.runnableAt || entry.runnableAt <= at) throw new Error(`Entry ${id} runs in the past`);
  }

  #claim(event: EventRecord): void {
    const { at, payload } = event;
    const fence = Number(payload['fence']);
    const before = this.#get({ ...event, payload: { sched_id: payload['sched_id'] ?? null } }, 'queued');
    const { id, pid, attempts, attemptsMax } = before;
    if (fence !== before.fence + 1) throw new Error(`Entry ${id} was claimed with fence ${fence} after ${before.fence}`);
    if (!isDue(before, at)) throw new Error(`Entry ${id} was claimed at ${at}, and is for ${before.runnableAt} to ${before.deadline}`);
    if (attempts >= attemptsMax) throw new Error(`Entry ${id} was claimed ${attempts + 1} times of ${attemptsMax}`);
    this.#checkTurn(before, at);
    const leaseMs = Number(payload['lease_ms']);
    const claimed = { state: 'dispatched', worker: String(payload['worker_id']), fence, leaseMs, leaseUntil: at + leaseMs } as const;
    this.#put(before, { ...claimed, dispatchedAt: at, attempts: attempts + 1, isAlone: false });
    const dispatched = [...this.#all.values()].filter(({ state }) => state === 'dispatched').length;
    if (dispatched > this.#known.limits.runningMax) throw new Error(`${dispatched} entries run, of process ${pid} and others`);
  }

  /** Nobody has its process for himself, the process goes on, and no other of its entries comes first. */
  #checkTurn(entry: Kept, at: number): void {
    const { id, pid } = entry;
    const { state } = this.#known.processes.get(pid);
    if (state === 'SUSPENDED' || state === 'DEAD') throw new Error(`Entry ${id} was claimed, and process ${pid} is ${state}`);
    for (const other of this.#all.values()) {
      if (other.pid !== pid || other.id === id) continue;
      if (other.state === 'dispatched' && other.isAlone)
        throw new Error(`Entry ${id} was claimed beside ${other.id}, which is to be alone`);
      if (isDue(other, at) && byRank(other, entry) < 0) throw new Error(`Entry ${id} was claimed before ${other.id}`);
    }
  }

  #startProcess({ pid, causationId, payload }: EventRecord): void {
    const started = [...this.#all.values()].filter((each) => each.pid === pid && each.state === 'dispatched');
    const [entry] = started;
    if (started.length !== 1 || entry === undefined)
      throw new Error(`Event ${causationId} started process ${pid} for ${started.length} entries`);
    if (payload['prev_state'] !== 'READY' && payload['prev_state'] !== 'WAITING') throw new Error(`A claim found process ${pid} running`);
    this.#put(entry, { isAlone: true });
  }

  /** Whose entry it is. */
  #name({ payload }: EventRecord): void {
    const entry = this.#all.get(Number(payload['sched_id'] ?? 0));
    if (entry?.trigger === 'kernel.run') this.#put(entry, { payload: { run: Number(payload['run']) } });
  }

  /** Who has it got on: what failed before counts no more. */
  #credit(event: EventRecord): void {
    const before = this.#get(event, 'dispatched');
    if (before.attempts <= 1) throw new Error(`Entry ${before.id} is credited for nothing`);
    this.#put(before, { attempts: 1 });
  }

  #prolong(event: EventRecord): void {
    const leaseMs = Number(event.payload['lease_ms']);
    this.#put(this.#get(event, 'dispatched'), { leaseMs, leaseUntil: event.at + leaseMs });
  }

  #complete(event: EventRecord): void {
    const exitKind = event.payload['exit_kind'] as QueueEntry['exitKind']; // A wrong one differs from what is held.
    const done = this.#put(this.#get(event, 'dispatched'), { state: 'completed', completedAt: event.at, exitKind, leaseUntil: undefined });
    this.#endRun(event, done);
  }

  #endRun({ id }: EventRecord, entry: Kept): void {
    if (entry.isSeries) this.#ended.set(id, entry);
  }

  #takeBack(event: EventRecord): void {
    const { leaseUntil = 0 } = this.#get(event, 'dispatched');
    if (event.at < leaseUntil)
      throw new Error(`The lease of entry ${event.payload['sched_id']} ran out at ${event.at}, not at ${leaseUntil}`);
    this.#fail(event, 'the lease ran out');
  }

  /** What becomes of it is told by the next event. */
  #fail(event: EventRecord, error: string): void {
    this.#put(this.#get(event, 'dispatched'), { error });
  }

  #retry(event: EventRecord): void {
    const before = this.#get(event, 'dispatched');
    const { id, attempts, attemptsMax, backoffMs } = before;
    const backoff = Number(event.payload['backoff_ms']);
    const expected = backoffMs * 2 ** (attempts - 1);
    if (attempts >= attemptsMax) throw new Error(`Entry ${id} is tried again after ${attempts} of ${attemptsMax} attempts`);
    if (Math.abs(backoff - expected) > expected * JITTER + 1) throw new Error(`Entry ${id} waits ${backoff} ms, not about ${expected}`);
    this.#put(before, { ...NOBODYS, state: 'queued', runnableAt: event.at + backoff });
  }

  #bury(event: EventRecord): void {
    const before = this.#get(event, 'dispatched');
    if (before.attempts < before.attemptsMax) throw new Error(`Entry ${before.id} is dead after ${before.attempts} attempts`);
    this.#endRun(event, this.#put(before, { state: 'dead', completedAt: event.at, leaseUntil: undefined }));
  }

  #release(event: EventRecord): void {
    const before = this.#get(event, 'dispatched');
    this.#put(before, { ...NOBODYS, state: 'queued', attempts: before.attempts - 1 });
  }

  #cancel(event: EventRecord): void {
    const { pid, at, payload } = event;
    if (payload['sched_id'] !== undefined) {
      this.#put(this.#get(event, 'queued'), { state: 'cancelled', completedAt: at });
      return;
    }
    const waiting = [...this.#all.values()].filter((each) => each.pid === pid && each.state === 'queued');
    if (waiting.length !== payload['count'])
      throw new Error(`${payload['count']} of ${waiting.length} entries of process ${pid} were cancelled`);
    for (const entry of waiting) this.#put(entry, { state: 'cancelled', completedAt: at });
  }

  #expire(event: EventRecord): void {
    const before = this.#get(event, 'queued');
    if (event.at < (before.deadline ?? Number.POSITIVE_INFINITY)) throw new Error(`Entry ${before.id} expired before ${before.deadline}`);
    this.#endRun(event, this.#put(before, { state: 'expired', completedAt: event.at }));
  }

  #requeue(event: EventRecord): void {
    const fresh = { ...NOBODYS, completedAt: undefined, exitKind: undefined, attempts: 0, cron: undefined, isSeries: false };
    const again = this.#put(this.#get(event, 'dead'), { ...fresh, state: 'queued', runnableAt: event.at });
    if (!isDue(again, event.at)) throw new Error(`Entry ${again.id} is queued again after its deadline`);
  }

  /** Whoever holds a lease has all of it again. */
  #recover({ at, payload }: EventRecord): void {
    const dispatched = [...this.#all.values()].filter(({ state }) => state === 'dispatched');
    if (dispatched.length !== payload['count']) throw new Error(`${payload['count']} of ${dispatched.length} leases were renewed`);
    for (const entry of dispatched) this.#put(entry, { leaseUntil: at + entry.leaseMs });
  }

  #purge({ payload }: EventRecord): void {
    const finished = [...this.#all.values()].filter(({ state }) => FINAL.includes(state)).toSorted(byEnd);
    for (const { id } of finished.slice(0, Number(payload['count']))) this.#all.delete(id);
    const left = finished.length - Number(payload['count']);
    if (left < this.#known.limits.finishedEntriesMax) throw new Error(`Only ${left} finished entries are left`);
  }

  #hold({ pid = 0 }: EventRecord): void {
    if (!this.#known.ledger.isSpent(pid)) throw new Error(`Process ${pid} has budget, and its work is held`);
  }
}

const NOBODYS = { worker: undefined, dispatchedAt: undefined, leaseUntil: undefined, isAlone: false } as const;

function isDue({ state, runnableAt, deadline }: Kept, now: number): boolean {
  return state === 'queued' && runnableAt <= now && (deadline === undefined || deadline > now);
}

function byRank(one: Kept, other: Kept): number {
  return rankOf(one) - rankOf(other) || one.id - other.id;
}

/** Waiting a minute is worth one of priority. */
function rankOf({ priority, runnableAt, createdAt }: Kept): number {
  return Math.max(runnableAt, createdAt) - priority * AGEING_MS;
}

function byEnd(one: Kept, other: Kept): number {
  return (one.completedAt ?? 0) - (other.completedAt ?? 0) || one.id - other.id;
}

function toEntry({
  fence: _fence,
  leaseMs: _leaseMs,
  isAlone: _isAlone,
  isSeries: _isSeries,
  dedupeKey: _dedupeKey,
  ...entry
}: Kept): QueueEntry {
  return entry;
}

export const queue: Part = {
  name: 'queue',
  weight: 5,

  opening: [enqueue, enqueue, enqueue],

  asks: [
    enqueue,
    enqueue,
    async ({ mine, random, notes }) => {
      const claims = await mine.queue.claim(someClaim(random));
      return claims.map((each) => noteClaim(notes, each));
    },
    wait,
    crowd,
    async ({ kernel, random }) => {
      if (random.chance(0.5)) await kernel.purger.purge();
      return []; // Mostly there is nothing to forget.
    },
    async ({ mine, random, notes }) => {
      const { id, fence } = someHeld(random, notes);
      await mine.queue.heartbeat(id, fence, random.chance(0.5) ? 1_000 + random.below(30_000) : undefined);
      return [{ kind: 'kernel.queue.lease_prolonged', payload: { sched_id: id, fence } }];
    },
    complete,
    work,
    work,
    async ({ mine, random, notes }) => {
      const { id, fence } = someHeld(random, notes);
      const error = `error ${random.below(9)}`;
      await mine.queue.fail(id, fence, error);
      return [{ kind: 'kernel.queue.failed', payload: { sched_id: id, fence, error } }];
    },
    async ({ mine, random, notes }) => {
      const { id, fence } = someHeld(random, notes);
      await mine.queue.release(id, fence);
      return [{ kind: 'kernel.queue.released', payload: { sched_id: id, fence } }];
    },
    async ({ mine, random, notes }) => {
      const id = random.find(notes.entries) ?? 1;
      await mine.queue.cancel(id);
      return [{ kind: 'kernel.queue.cancelled', payload: { sched_id: id } }];
    },
    async ({ mine, random }) => {
      const { entries } = await mine.queue.list({ state: 'dead' });
      const id = entries[0]?.id ?? 1 + random.below(9);
      await mine.queue.retry(id);
      return [{ kind: 'kernel.queue.requeued', payload: { sched_id: id } }];
    },
    async ({ mine, kernel, random }) => {
      if (random.chance(0.5)) await kernel.scheduler.tick();
      else await mine.queue.expire();
      return [];
    },
  ],

  createModel: (known) => new QueueModel(known),

  async observe({ mine, summary }) {
    const { entries, total } = await mine.queue.list({}, { limit: 10_000 });
    if (total !== entries.length) throw new Error(`${total} entries are counted, ${entries.length} are there`);
    return { entries, totals: summary.queue };
  },

  lasts: [
    last('what waits for a process alone', { isAlone: true, areRuns: false }),
    last('runs that wait', { isAlone: true, areRuns: true }),
    last('all that waits', { isAlone: false, areRuns: false }),
    last('all runs that wait', { isAlone: false, areRuns: true }),
  ],
};

async function enqueue(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, now } = asking;
  const trigger = random.pick(TRIGGERS);
  const runnableAt = random.chance(0.4) ? now + random.below(60_000) - 10_000 : undefined;
  const deadline = random.chance(0.3) ? (runnableAt ?? now) + random.below(90_000) : undefined;
  const request = { pid: somePid(asking), priority: random.below(4), runnableAt, deadline, attemptsMax: 1 + random.below(3) };
  const { id } = await mine.queue.enqueue({ ...request, trigger, payload: { of: trigger }, ...KINDS[trigger] });
  keep(asking.notes.entries, id);
  return 'dedupeKey' in KINDS[trigger] ? [] : [{ kind: 'kernel.queue.enqueued', pid: request.pid, payload: { sched_id: id, trigger } }];
}

async function complete({ mine, random, notes }: Asking): Promise<readonly Told[]> {
  const { id, fence } = someHeld(random, notes);
  const [isFenced, endsProcess, exitKind] = [random.chance(0.9), random.chance(0.15), random.pick(['completed', 'failed'] as const)];
  await mine.queue.complete(id, exitKind, { fence: isFenced ? fence : undefined, endsProcess });
  return [{ kind: 'kernel.queue.completed', payload: { sched_id: id, exit_kind: exitKind, ...(isFenced ? { fence } : {}) } }];
}

/** As a worker does that has nothing to do. */
async function wait({ mine, kernel, random, notes }: Asking): Promise<readonly Told[]> {
  const options = someClaim(random);
  const waitMs = random.chance(0.8) ? random.below(40_000) : 0;
  const claiming = kernel.scheduler.claim({ ...options, waitMs }, abortSoon(random));
  const isThere = async () => (await mine.queue.claim(options)).length > 0;
  const claims: readonly ScheduledClaim[] = await (waitMs > 0 ? whileWaiting(notes, 'work', isThere, claiming) : claiming);
  return claims.filter(({ workspace }) => workspace === mine.id).map((each) => noteClaim(notes, each));
}

/** Workers that have nothing to do, and work for all of them that comes at the same time. */
async function crowd(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, now } = asking;
  const pids = [somePid(asking), somePid(asking), somePid(asking)];
  const runnableAt = random.chance(0.5) ? now + 1 + random.below(20_000) : undefined;
  const working = Promise.all([wait(asking), wait(asking), wait(asking)]);
  working.catch(() => {}); // Whoever waits for it hears of it.
  const enqueued = pids.map((pid) => mine.queue.enqueue({ pid, runnableAt, trigger: 'quick', payload: { of: 'quick' }, ...KINDS.quick }));
  await Promise.allSettled(enqueued); // Some are of nobody.
  return (await working).flat();
}

/** As workers do: claims, and ends what it claimed. */
async function work({ mine, random, notes }: Asking): Promise<readonly Told[]> {
  const [options, ending, endsProcess] = [someClaim(random), random.pick(ENDINGS), random.chance(0.1)];
  const told: Told[] = [];
  for (const claim of await mine.queue.claim(options)) {
    const { fence, entry } = claim;
    told.push(noteClaim(notes, claim));
    const payload = { sched_id: entry.id, fence };
    if (ending === 'failed') await mine.queue.fail(entry.id, fence, 'no');
    else if (ending === 'released') await mine.queue.release(entry.id, fence);
    else await mine.queue.complete(entry.id, 'completed', { fence, endsProcess });
    told.push({ kind: `kernel.queue.${ending}`, payload });
  }
  return told;
}

function someClaim(random: Random) {
  return {
    worker: random.pick(WORKERS),
    limit: 1 + random.below(3),
    leaseMs: 1_000 + random.below(40_000),
    startsProcess: random.chance(0.7),
    isAdmissionChecked: random.chance(0.8),
    areRuns: random.chance(0.2),
  };
}

/** A claim that somebody has or had, or that nobody was given. */
function someHeld(random: Random, notes: Notes) {
  const guess = { id: random.find(notes.entries) ?? 1, fence: 1 + random.below(3) };
  return random.chance(0.9) ? (random.find(notes.claims) ?? guess) : guess;
}

function noteClaim(notes: Notes, { entry: { id, worker, trigger, payload }, fence }: Pick<ScheduledClaim, 'entry' | 'fence'>): Told {
  keep(notes.claims, { id, fence });
  if (trigger === 'kernel.run') keep(notes.leases, { run: Number(payload['run']), entry: id, fence });
  return { kind: 'kernel.queue.claimed', payload: { sched_id: id, fence, worker_id: worker } };
}

type ClaimedKind = { readonly isAlone: boolean; readonly areRuns: boolean };

function last(what: string, kind: ClaimedKind): Last {
  const { isAlone, areRuns } = kind;
  return {
    what,
    async ask({ mine }) {
      const claims = await mine.queue.claim({ worker: 'last', limit: 1_000, startsProcess: isAlone, isAdmissionChecked: isAlone, areRuns });
      return claims.map(({ entry }) => entry.id);
    },
    expect: (model, now) => (model instanceof QueueModel ? model.claimable(now, kind) : undefined),
  };
}

import { type EventRecord, PROCESS_STATES, type ProcessRecord, type ProcessState } from '@warren/kernel';
import type { Asking, KnownProcesses, Moment, Part, Told } from '../part.ts';

export const AGENTS = ['alice', 'bob'] as const;
const TARGETS = ['RUNNING', 'RUNNING', 'WAITING', 'SUSPENDED', 'READY'] as const;
const POLICIES = ['end', 'orphan', 'detach'] as const;

/** Pids are guessed: most exist, some do not, some are DEAD. Low ones more often, so that requests meet. */
export function somePid({ random, notes }: Pick<Asking, 'random' | 'notes'>): number {
  return 1 + Math.min(random.below(notes.lastPid + 1), random.below(notes.lastPid + 3));
}

const LEGAL: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: ['RUNNING', 'DEAD'],
  RUNNING: ['WAITING', 'SUSPENDED', 'DEAD'],
  WAITING: ['RUNNING', 'SUSPENDED', 'DEAD'],
  SUSPENDED: ['READY', 'DEAD'],
  DEAD: [],
};

export class ProcessModel implements KnownProcesses {
  readonly all = new Map<number, ProcessRecord>();
  /** Children whose parent ended in this transaction. */
  readonly #bereaved = new Set<number>();

  get(pid: number | undefined): ProcessRecord {
    const found = this.all.get(pid ?? 0);
    if (found === undefined) throw new Error(`An event of process ${pid}, which was never made`);
    return found;
  }

  isAlive(pid: number | undefined): boolean {
    return pid !== undefined && this.get(pid).state !== 'DEAD';
  }

  line(pid: number): readonly ProcessRecord[] {
    const found: ProcessRecord[] = [];
    for (let next: number | undefined = pid; next !== undefined; next = found.at(-1)?.parentPid) found.push(this.get(next));
    return found;
  }

  hear(event: EventRecord): void {
    const { id, pid, kind } = event;
    if (kind === 'kernel.process.created') this.#create(event);
    else if (kind.startsWith('kernel.process.')) this.#change(event);
    if (pid !== undefined) this.#put(pid, { lastEventId: id });
  }

  rest(): void {
    for (const pid of this.#bereaved) {
      const { state, onParentEnd, parentPid } = this.get(pid);
      if (onParentEnd === 'end' && state !== 'DEAD') throw new Error(`Process ${pid} lives although its parent ended`);
      if (onParentEnd === 'detach' && state !== 'DEAD' && parentPid !== undefined) throw new Error(`Process ${pid} was not detached`);
    }
    this.#bereaved.clear();
  }

  state({ firstEventId }: Moment) {
    const all = [...this.all.values()].map((each) => ({ ...each, lastEventId: each.lastEventId < firstEventId ? 0 : each.lastEventId }));
    const totals = Object.fromEntries(PROCESS_STATES.map((state) => [state, all.filter((each) => each.state === state).length]));
    return { all, totals };
  }

  #create({ pid = 0, at, payload }: EventRecord): void {
    if (pid !== this.all.size + 1) throw new Error(`Process ${pid} was made after ${this.all.size}`);
    this.all.set(pid, {
      pid,
      parentPid: optional(payload['parent_pid']),
      name: String(payload['name']),
      template: String(payload['template']),
      agent: optional(payload['agent']),
      state: 'READY',
      stateReason: undefined,
      onParentEnd: payload['on_parent_end'] as ProcessRecord['onParentEnd'], // A wrong one differs from what is held.
      pendingSignal: undefined,
      createdAt: at,
      updatedAt: at,
      startedAt: undefined,
      endedAt: undefined,
      exitKind: undefined,
      exitDetail: undefined,
      metadata: {},
      lastEventId: 0,
    });
  }

  #change({ pid = 0, at, kind, payload }: EventRecord): void {
    switch (kind) {
      case 'kernel.process.transitioned':
      case 'kernel.process.terminated':
      case 'kernel.process.recovered':
        this.#move(pid, at, payload);
        break;
      case 'kernel.process.signalled':
        this.#signal(pid, at, String(payload['signal']));
        break;
      case 'kernel.process.detached':
        if (payload['parent_pid'] !== this.get(pid).parentPid) throw new Error(`Process ${pid} was detached from a stranger`);
        this.#put(pid, { parentPid: undefined, updatedAt: at });
        break;
      default:
        throw new Error(`Unheard of: ${kind}`);
    }
  }

  /** What follows from it otherwise is told by another event. */
  #signal(pid: number, at: number, signal: string): void {
    const { state } = this.get(pid);
    if (state === 'RUNNING' && (signal === 'interrupt' || signal === 'terminate')) this.#put(pid, { pendingSignal: signal, updatedAt: at });
    if (state === 'SUSPENDED' && signal === 'stop') this.#put(pid, { stateReason: 'signal:stop', updatedAt: at });
  }

  #move(pid: number, at: number, payload: EventRecord['payload']): void {
    const before = this.get(pid);
    const state = PROCESS_STATES.find((each) => each === payload['new_state']);
    if (state === undefined || payload['prev_state'] !== before.state)
      throw new Error(`Process ${pid} was ${before.state}, not ${payload['prev_state']}`);
    if (!LEGAL[before.state].includes(state)) throw new Error(`Process ${pid} went from ${before.state} to ${state}`);
    const wasTold = before.state === 'RUNNING' || state === 'DEAD' || 'policy' in payload;
    const pendingSignal = wasTold ? undefined : before.pendingSignal;
    this.#put(pid, { state, stateReason: optional(payload['reason']), updatedAt: at, pendingSignal });
    if (state === 'RUNNING') this.#put(pid, { startedAt: before.startedAt ?? at });
    if (state !== 'DEAD') return;
    const exitKind = payload['policy'] === 'mark-dead' ? 'crashed' : optional<ProcessRecord['exitKind']>(payload['exit_kind']);
    this.#put(pid, { endedAt: at, exitKind, exitDetail: optional(payload['exit_detail']) });
    for (const child of this.all.values()) if (child.parentPid === pid && child.state !== 'DEAD') this.#bereaved.add(child.pid);
  }

  #put(pid: number, change: Partial<ProcessRecord>): void {
    this.all.set(pid, { ...this.get(pid), ...change });
  }
}

export const processes: Part = {
  name: 'processes',
  weight: 2,

  opening: [create, create, createChild, createChild],

  asks: [
    create,
    createChild,
    async (asking) => {
      const { mine, random } = asking;
      const { pid, state, eventId } = await mine.processes.transition(somePid(asking), random.pick(TARGETS));
      return [{ kind: 'kernel.process.transitioned', id: eventId, pid, payload: { new_state: state } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      if (random.chance(0.5)) return []; // Or there would be nobody left.
      const exitKind = random.pick(['completed', 'failed'] as const);
      const { pid, eventId } = await mine.processes.end(somePid(asking), exitKind, { n: random.below(9) });
      return [{ kind: 'kernel.process.terminated', id: eventId, pid, payload: { exit_kind: exitKind } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const signal = random.pick(['stop', 'continue', 'continue', 'interrupt', 'interrupt', 'terminate', 'kill'] as const);
      const { pid } = await mine.processes.signal(somePid(asking), signal);
      return [{ kind: 'kernel.process.signalled', pid, payload: { signal } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const [pid, n] = [somePid(asking), random.below(100)];
      const id = await mine.events.append({ pid, kind: 'note', payload: { n } });
      return [{ kind: 'note', id, pid, payload: { n } }];
    },
  ],

  createModel: ({ processes: model }) => model,

  async observe({ processes: all, summary }) {
    return { all, totals: summary.processes };
  },
};

async function create({ mine, random, notes }: Asking): Promise<readonly Told[]> {
  const { pid } = await mine.processes.create({ name: 'p', template: 't', agent: random.find([...AGENTS, undefined]) });
  notes.lastPid = Math.max(notes.lastPid, pid);
  return [{ kind: 'kernel.process.created', pid }];
}

async function createChild(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, notes } = asking;
  const { pid } = await mine.processes.create({
    name: 'c',
    template: 't',
    parentPid: somePid(asking),
    agent: random.find([...AGENTS, undefined]),
    onParentEnd: random.pick(POLICIES),
  });
  notes.lastPid = Math.max(notes.lastPid, pid);
  return [{ kind: 'kernel.process.created', pid }];
}

/** Null in a payload is nothing in a record. A value of another type than expected differs from what is held. */
export function optional<T>(value: unknown): T | undefined {
  return value === null || value === undefined ? undefined : (value as T); // As above.
}

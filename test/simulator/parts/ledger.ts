import type { Account, EventRecord, LedgerEntry } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import { keep } from '../notes.ts';
import type { Asking, KnownLedger, KnownProcesses, Part, Told } from '../part.ts';
import { AGENTS, somePid } from './processes.ts';

const DIMS = ['tokens', 'tool_calls', 'memory_bytes', 'fs_w_bytes'] as const;
/** Of this the largest measure counts, not the sum. */
const PEAK = 'memory_bytes';
const FILE_DIM = 'fs_w_bytes';
/** There are processes enough. */
const FAMILY_PID_MAX = 14;

type Row = Omit<LedgerEntry, 'account' | 'used' | 'reserved' | 'granted'> & {
  readonly key: string;
  used: number;
  reserved: number;
  granted: number;
};
type Hold = { readonly row: Row; readonly amount: number };
type Reservation = { readonly pid: number; readonly holds: readonly Hold[]; isOpen: boolean };
/** What has to be charged for an event: by account and dimension. */
type Charge = ReadonlyMap<Row, number>;

export class LedgerModel implements KnownLedger {
  readonly #processes: KnownProcesses;
  readonly #accounts = new Map<string, Map<string, Row>>();
  readonly #reservations = new Map<number, Reservation>();
  #lastReservation = 0;
  /** Events there have to be before the transaction is over: `<cause>:<kind>:<account>:<dim>`. */
  readonly #crossings = new Set<string>();
  readonly #charges = new Map<number, Charge>();
  readonly #mustStop = new Map<number, Row>();
  readonly #hearers: Readonly<Record<string, (event: EventRecord) => void>> = {
    created: (event) => this.#create(event),
    charged: (event) => this.#charge(event),
    reserved: (event) => this.#reserve(event),
    settled: (event) => this.#settle(event),
    released: (event) => this.#release(event),
    refunded: (event) => this.#refund(event),
    granted: (event) => this.#grant(event),
    warned: (event) => this.#cross(event),
    breached: (event) => this.#cross(event),
  };

  constructor(processes: KnownProcesses) {
    this.#processes = processes;
  }

  /** Where a process pays into. */
  chain(pid: number): readonly string[] {
    const line = this.#processes.line(pid);
    const agents = line.flatMap(({ agent }) => agent ?? []).map((agent) => `agent:${agent}`);
    return [...line.map((each) => `process:${each.pid}`), ...new Set(agents), 'workspace'];
  }

  rowsOf(account: string): readonly Row[] {
    return [...(this.#accounts.get(account)?.values() ?? [])];
  }

  isSpent(pid: number): boolean {
    return this.#paidBy(pid).some(isOver);
  }

  hear(event: EventRecord): void {
    const { id, kind, payload } = event;
    if (kind === 'kernel.file.written' || kind === 'kernel.file.restored') this.#write(id, Number(event.pid), Number(payload['size']));
    if (kind === 'kernel.process.transitioned' && payload['reason'] === 'budget_restored' && this.isSpent(Number(event.pid)))
      throw new Error(`Process ${event.pid} goes on, and a budget of it is spent`);
    if (kind.startsWith('kernel.ledger.')) this.#hearers[kind.slice('kernel.ledger.'.length)]?.(event);
  }

  rest(): void {
    const [crossing] = this.#crossings;
    if (crossing !== undefined) throw new Error(`A limit was crossed in silence: ${crossing}`);
    const [owing] = this.#charges;
    if (owing !== undefined) throw new Error(`What was used by event ${owing[0]} was not charged`);
    for (const [pid, { key, dim, onBreach }] of this.#mustStop) {
      const { state } = this.#processes.get(pid);
      const hasStopped = onBreach === 'kill' ? state === 'DEAD' : state !== 'RUNNING' && state !== 'WAITING';
      if (!hasStopped) throw new Error(`Process ${pid} is ${state} although ${dim} of ${key} is spent`);
    }
    this.#mustStop.clear();
    for (const [id, { pid, isOpen }] of this.#reservations)
      if (isOpen && !this.#processes.isAlive(pid)) throw new Error(`Reservation ${id} is of process ${pid}, which is DEAD`);
    for (const { pid, state, stateReason } of this.#processes.all.values()) {
      const isHeld = state === 'SUSPENDED' && stateReason?.startsWith('budget:') === true;
      if (isHeld && !this.isSpent(pid)) throw new Error(`Process ${pid} is suspended for a budget, and none of its budgets is spent`);
    }
  }

  start(): void {
    for (const [id, { pid, isOpen }] of this.#reservations) {
      const { state } = this.#processes.get(pid);
      if (isOpen && state !== 'RUNNING' && state !== 'WAITING')
        throw new Error(`Reservation ${id} is open, and process ${pid} is ${state}`);
    }
  }

  state() {
    const accounts = [
      ...[...this.#processes.all.keys()].map((pid) => `process:${pid}`),
      ...AGENTS.map((name) => `agent:${name}`),
      'workspace',
    ];
    const entries = accounts.flatMap((key) => this.rowsOf(key).map(toEntry));
    const breached = accounts.flatMap((key) => this.rowsOf(key).filter(isOver).toSorted(byDim).map(toEntry));
    const budgeted = accounts.filter((key) => this.rowsOf(key).length > 0).length;
    return { entries, breached, totals: { budgeted, breached: breached.length } };
  }

  #row(account: unknown, dim: unknown): Row {
    const row = this.#accounts.get(String(account))?.get(String(dim));
    if (row === undefined) throw new Error(`${account} has no budget of ${dim}`);
    return row;
  }

  #paidBy(pid: number): readonly Row[] {
    return this.chain(pid).flatMap((key) => this.rowsOf(key));
  }

  #create({ payload }: EventRecord): void {
    const key = String(payload['account']);
    const rows = this.#accounts.get(key) ?? new Map<string, Row>();
    this.#accounts.set(key, rows);
    const terms = { warnAt: Number(payload['warn_at']), onBreach: payload['on_breach'] as Row['onBreach'] }; // A wrong one differs from what is held.
    for (const [dim, granted] of Object.entries(payload['grants'] ?? {})) {
      if (rows.has(dim)) throw new Error(`${key} got a second budget of ${dim}`);
      rows.set(dim, { key, dim, used: 0, reserved: 0, granted: Number(granted), ...terms });
    }
  }

  #write(cause: number, pid: number, size: number): void {
    const poor = this.#paidBy(pid).find(({ dim, granted, used, reserved }) => dim === FILE_DIM && size > granted - used - reserved);
    if (poor !== undefined && size > 0) throw new Error(`Process ${pid} wrote ${size} bytes, and ${poor.key} has not so many left`);
    this.#owe(cause, pid, new Map([[FILE_DIM, size]]));
  }

  /** Everybody who has the dimension pays, and the same. */
  #owe(cause: number, pid: number, amounts: ReadonlyMap<string, number>): void {
    const due = this.#paidBy(pid).filter((row) => addUse(row, amounts.get(row.dim) ?? 0) !== row.used);
    if (due.length > 0) this.#charges.set(cause, new Map(due.map((row) => [row, amounts.get(row.dim) ?? 0])));
  }

  #charge({ id, pid = 0, payload, causationId }: EventRecord): void {
    const entries = payload['entries'] as readonly { account: string; dim: string; amount: number; used: number }[]; // Or this throws.
    const amounts = new Map(entries.map(({ dim, amount }) => [dim, amount]));
    if (causationId === undefined || !this.#charges.has(causationId)) this.#owe(causationId ?? -id, pid, amounts);
    const due = this.#charges.get(causationId ?? -id);
    this.#charges.delete(causationId ?? -id);
    if (due?.size !== entries.length) throw new Error(`Event ${id} charges ${entries.length} budgets of ${due?.size ?? 0}`);
    const before = new Map(due.keys().map((row) => [row, { ...row }]));
    for (const { account, dim, amount, used } of entries) {
      const row = this.#row(account, dim);
      if (due.get(row) !== amount) throw new Error(`${account} was charged ${amount} ${dim}, not ${due.get(row)}`);
      row.used = addUse(row, amount);
      if (row.used !== used) throw new Error(`${account} has used ${row.used} ${dim}, not ${used}`);
    }
    for (const [row, was] of before) this.#expectCrossings(id, was, row);
  }

  #expectCrossings(cause: number, before: Row, after: Row): void {
    const { key, dim } = after;
    if (isPastWarning(after) && !isPastWarning(before)) this.#crossings.add(`${cause}:kernel.ledger.warned:${key}:${dim}`);
    if (isOver(after) && !isOver(before)) this.#crossings.add(`${cause}:kernel.ledger.breached:${key}:${dim}`);
  }

  #cross({ kind, payload, causationId }: EventRecord): void {
    const row = this.#row(payload['account'], payload['dim']);
    const { key, dim, onBreach } = row;
    if (!this.#crossings.delete(`${causationId}:${kind}:${key}:${dim}`)) throw new Error(`${kind} of ${dim} of ${key} for no reason`);
    if (kind === 'kernel.ledger.warned' || onBreach === 'deny') return;
    for (const { pid, state } of this.#processes.all.values())
      if (state !== 'DEAD' && this.chain(pid).includes(key)) this.#mustStop.set(pid, row);
  }

  #reserve({ pid = 0, payload }: EventRecord): void {
    const id = Number(payload['reservation']);
    if (id <= this.#lastReservation) throw new Error(`Reservation ${id} was given after ${this.#lastReservation}`);
    this.#lastReservation = id;
    if (!this.#processes.isAlive(pid)) throw new Error(`Process ${pid} reserved, and is DEAD`);
    if (this.isSpent(pid)) throw new Error(`Process ${pid} reserved although a budget of it is spent`);
    const amounts = new Map(Object.entries(payload['amounts'] ?? {}));
    const holds: Hold[] = [];
    for (const row of this.#paidBy(pid)) {
      const amount = Number(amounts.get(row.dim) ?? 0);
      if (amount === 0) continue;
      const most = row.dim === PEAK ? Math.max(row.used, amount) : row.used + row.reserved + amount;
      if (most > row.granted) throw new Error(`${most} ${row.dim} of ${row.key} were promised, and it has ${row.granted}`);
      if (row.dim === PEAK) continue;
      row.reserved += amount;
      holds.push({ row, amount });
    }
    this.#reservations.set(id, { pid, holds, isOpen: true });
  }

  #settle({ id: cause, pid = 0, payload }: EventRecord): void {
    const id = Number(payload['reservation']);
    const reservation = this.#reservations.get(id);
    if (reservation?.pid !== pid) throw new Error(`Reservation ${id} was settled, and is not there`);
    if (reservation.isOpen) giveBack(reservation);
    this.#reservations.delete(id);
    const amounts = new Map(Object.entries(payload['amounts'] ?? {}).map(([dim, amount]) => [dim, Number(amount)]));
    const unsaid = reservation.holds.find(({ row }) => !amounts.has(row.dim));
    if (unsaid !== undefined) throw new Error(`What was set aside of ${unsaid.row.dim} for reservation ${id} is forgotten`);
    this.#owe(cause, pid, amounts);
  }

  #release({ pid = 0, payload }: EventRecord): void {
    const open = [...this.#reservations].filter(([, each]) => each.pid === pid && each.isOpen).map(([id]) => id);
    if (JSON.stringify(open) !== JSON.stringify(payload['reservations']))
      throw new Error(`Of process ${pid}, ${JSON.stringify(open)} are open and ${JSON.stringify(payload['reservations'])} were released`);
    for (const id of open) giveBack(this.#reservations.get(id));
  }

  #refund({ id, payload }: EventRecord): void {
    const row = this.#row(payload['account'], payload['dim']);
    const before = { ...row };
    row.used -= Number(payload['amount']);
    if (row.used < 0 || row.used !== payload['used']) throw new Error(`${row.key} has used ${row.used} ${row.dim} after a refund`);
    this.#expectCrossings(id, before, row);
  }

  #grant({ id, payload }: EventRecord): void {
    const row = this.#row(payload['account'], payload['dim']);
    const before = { ...row };
    if (payload['prev_granted'] !== row.granted)
      throw new Error(`${row.key} had ${row.granted} ${row.dim}, not ${payload['prev_granted']}`);
    row.granted = Number(payload['granted']);
    this.#expectCrossings(id, before, row);
  }
}

function giveBack(reservation: Reservation | undefined): void {
  if (reservation?.isOpen !== true) throw new Error('What is not reserved was given back');
  for (const { row, amount } of reservation.holds) row.reserved -= amount;
  reservation.isOpen = false;
}

function addUse({ dim, used }: Row, amount: number): number {
  return dim === PEAK ? Math.max(used, amount) : used + amount;
}

function isOver({ used, granted }: Row): boolean {
  return used > granted;
}

function isPastWarning({ used, granted, warnAt }: Row): boolean {
  return used / granted >= warnAt;
}

function toEntry({ key, ...row }: Row): LedgerEntry {
  return { ...row, account: toAccount(key) };
}

function toAccount(key: string): Account {
  if (key === 'workspace') return { kind: 'workspace' };
  const [kind, name = ''] = key.split(':');
  return kind === 'agent' ? { kind, agent: name } : { kind: 'process', pid: Number(name) };
}

function byDim(one: Row, other: Row): number {
  return one.dim < other.dim ? -1 : 1;
}

export const ledger: Part = {
  name: 'ledger',
  weight: 3,

  opening: [create, create, create],

  asks: [
    create,
    async (asking) => {
      const { mine, random } = asking;
      const [account, dim] = someBudget(asking);
      const pid = account.kind === 'process' ? account.pid : somePid(asking);
      const amount = random.below(40);
      await mine.ledger.charge(pid, dim, amount);
      return amount > 0 && dim !== PEAK ? [{ kind: 'kernel.ledger.charged', pid }] : [];
    },
    async (asking) => {
      const { mine, random } = asking;
      const [pid, amounts] = [somePid(asking), someAmounts(random)];
      const charges = await mine.ledger.record(pid, amounts);
      const hasChanged = charges.some(({ charged }) => charged.dim !== PEAK && charged.amount > 0);
      return hasChanged ? [{ kind: 'kernel.ledger.charged', pid }] : [];
    },
    async (asking) => {
      const { mine, random, notes } = asking;
      const [pid, amounts] = [somePid(asking), someAmounts(random)];
      const answer = await mine.ledger.reserve(pid, amounts);
      if (answer.kind === 'denied') return [];
      const { id } = answer.reservation;
      keep(notes.reservations, id);
      return [{ kind: 'kernel.ledger.reserved', pid, payload: { reservation: id, amounts } }];
    },
    async ({ mine, random, notes }) => {
      const [guess, used] = [random.below(9), someAmounts(random)];
      const id = random.chance(0.8) ? (random.find(notes.reservations) ?? guess) : guess;
      if (!(await mine.ledger.settle(id, used))) return [];
      return [{ kind: 'kernel.ledger.settled', payload: { reservation: id } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const [account, dim] = someBudget(asking);
      const amount = 1 + random.below(20);
      await mine.ledger.refund(account, dim, amount);
      return [{ kind: 'kernel.ledger.refunded', payload: { account: toKey(account), dim, amount } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const [account, dim] = someBudget(asking);
      await mine.ledger.updateGrant(account, dim, someGrant(random, dim));
      return []; // It may have been so before.
    },
    spend,
    spend,
    topUp,
    topUp,
    overspend,
    async (asking) => {
      const { mine } = asking;
      const { used, reserved, granted, wouldUse, wouldExceed } = await mine.ledger.check(somePid(asking), 'tokens', 10);
      if (wouldUse !== used + reserved + 10 || wouldExceed !== wouldUse > granted) throw new Error('A check does not add up');
      return [];
    },
  ],

  createModel: ({ ledger: model }) => model,

  async observe({ mine, processes, summary }) {
    const keys = [...processes.map(({ pid }) => `process:${pid}`), ...AGENTS.map((name) => `agent:${name}`), 'workspace'];
    const entries = (await Promise.all(keys.map((key) => mine.ledger.list(toAccount(key))))).flat();
    return { entries, breached: await mine.ledger.listBreached(1_000), totals: summary.ledger };
  },
};

async function create(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const account = someAccount(asking);
  const dims = DIMS.filter(() => random.chance(0.5));
  const grants = Object.fromEntries(dims.map((dim) => [dim, someGrant(random, dim)]));
  const onBreach = random.pick(['suspend', 'suspend', 'kill', 'deny'] as const);
  await mine.ledger.create(account, grants, { warnAt: random.pick([0.5, 0.8, 1]), onBreach });
  keep(asking.notes.budgets, ...dims.map((dim) => [toKey(account), dim] as const));
  return [{ kind: 'kernel.ledger.created', payload: { account: toKey(account), grants } }];
}

/** All there is and a little more. */
async function spend(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [[account, dim], more] = [someBudget(asking), 1 + random.below(5)];
  const pid = account.kind === 'process' ? account.pid : somePid(asking);
  const entry = (await mine.ledger.list(account)).find((each) => each.dim === dim);
  if (entry !== undefined) await mine.ledger.record(pid, { [dim]: Math.max(0, entry.granted - entry.used) + more });
  return []; // Nobody may have a budget of it.
}

/** As much as is needed to go on, or not quite. */
async function topUp(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [[account, dim], more] = [someBudget(asking), random.below(20)];
  const entry = (await mine.ledger.list(account)).find((each) => each.dim === dim);
  if (entry !== undefined) await mine.ledger.updateGrant(account, dim, Math.max(1, entry.used + more));
  return []; // It may have been so before.
}

/** A family of which the child uses more than its parent, and maybe itself, may; and then the one or the other goes on, or the parent ends. */
async function overspend({ mine, random, notes }: Asking): Promise<readonly Told[]> {
  const [hasOwn, isClaimed, onParentEnd] = [random.chance(0.5), random.chance(0.5), random.pick(['detach', 'detach', 'orphan'] as const)];
  const ending = random.pick(['parent', 'child', 'end'] as const);
  if (notes.lastPid > FAMILY_PID_MAX) return [];
  const { pid: parentPid } = await mine.processes.create({ name: 'p', template: 't' });
  const { pid } = await mine.processes.create({ name: 'c', template: 't', parentPid, onParentEnd });
  notes.lastPid = Math.max(notes.lastPid, pid);
  await mine.processes.transition(pid, 'RUNNING');
  const accounts = [parentPid, ...(hasOwn ? [pid] : [])].map((each) => ({ kind: 'process', pid: each }) as const);
  for (const account of accounts) await mine.ledger.create(account, { tokens: 5 });
  await mine.queue.enqueue({ pid, trigger: 'quick', payload: { of: 'quick' }, backoffMs: 0 });
  await mine.ledger.record(pid, { tokens: 9 });
  if (isClaimed) await mine.queue.claim({ worker: 'w1', limit: 10 });
  if (ending === 'end') await mine.processes.end(parentPid, 'completed');
  else await mine.ledger.updateGrant({ kind: 'process', pid: ending === 'parent' || !hasOwn ? parentPid : pid }, 'tokens', 20);
  return [];
}

function someAccount(asking: Asking): Account {
  const { random } = asking;
  const kind = random.pick(['process', 'process', 'process', 'agent', 'workspace'] as const);
  if (kind === 'process') return { kind, pid: somePid(asking) };
  return kind === 'agent' ? { kind, agent: random.pick(AGENTS) } : { kind };
}

/** Mostly one that is there. */
function someBudget(asking: Asking): readonly [Account, string] {
  const [guess, known] = [[someAccount(asking), asking.random.pick(DIMS)] as const, asking.random.find(asking.notes.budgets)];
  return known === undefined || asking.random.chance(0.2) ? guess : [toAccount(known[0]), known[1]];
}

function toKey(account: Account): string {
  if (account.kind === 'workspace') return 'workspace';
  return account.kind === 'agent' ? `agent:${account.agent}` : `process:${account.pid}`;
}

/** Few enough that limits are met. */
function someGrant(random: Random, dim: string): number {
  return dim === FILE_DIM ? 1 + random.below(60_000) : 1 + random.below(70);
}

function someAmounts(random: Random): Readonly<Record<string, number>> {
  return Object.fromEntries(DIMS.filter((dim) => dim !== FILE_DIM && random.chance(0.6)).map((dim) => [dim, random.below(50)]));
}

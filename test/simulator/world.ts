/**
 * The world a schedule runs in: a real kernel on real files in memory, time that the schedule moves, and deaths. When the kernel dies, its
 * files are kept as they are at that moment; after a power failure the end of the log, of which nobody was told, may be torn.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel } from '@warren/kernel';
import {
  createClock,
  createFaultPlan,
  type FaultPlan,
  type FaultPoint,
  type FaultPoints,
  PlayedCrash,
  type Random,
} from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE, isFault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { Chronicle } from './chronicle.ts';
import { Notes } from './notes.ts';
import type { Limits } from './part.ts';
import { PlayedTime } from './played-time.ts';
import { checkRefusal } from './refusal.ts';
import { checkpoint, DATABASE, LOG, sizeOf, type Tear, tear } from './store-files.ts';

const SLOW_FLUSH_MS = 60_000;
const SECOND = parseWorkspaceId('second');
const RECOVERIES = ['resume', 'resume', 'suspend', 'mark-dead'] as const;
const POINTS = [
  'store.begin',
  'store.body',
  'store.commit',
  'store.committed',
  'body.chunk',
  'store.purge',
] as const satisfies FaultPoint[];
const SLOW_AT = ['store.body', 'store.commit'] as const satisfies FaultPoint[];
const FULL_AT = ['store.begin', 'store.body', 'store.commit', 'body.chunk'] as const satisfies FaultPoint[];
/** Turns of the event loop in which nothing happened, after which nothing will without time passing. */
const IDLE_TURNS = 4;
/** Longer than anybody may wait for anything. */
const WAIT_MS_MAX = 10_800_000;
/** While somebody waits no more time passes at once, so that it is noticed when the wait should be over. */
const STRIDE_MS = 5_000;
const TURNS_MAX = 20_000;
/** By which the kernel does what is due after its clock was set or its disk was full. */
const LATE_MS_MAX = 60_000;

export type WorldOptions = {
  readonly random: Random;
  /** What the kernel is seen through; a test plants its defects here. */
  readonly wrap?: ((kernel: Kernel) => Kernel) | undefined;
  /** Dies the n-th time it reaches any of the points, in this way, and nothing else goes wrong. 0: never. */
  readonly death?: { readonly step: number; readonly tear: Tear } | undefined;
  /** Changes what a store has while it is closed, in this directory. */
  readonly tamper?: ((directory: string) => void) | undefined;
  /** The disk says that it wrote what it did not. A kernel cannot know; the simulator must. */
  readonly isDiskLying?: boolean | undefined;
};

/** A store as it is after its first start. */
let newStore: Uint8Array | undefined;

type Place = { readonly id: WorkspaceId; readonly chronicle: Chronicle; readonly notes: Notes };

export class World implements AsyncDisposable {
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'warren-simulator-'));
  readonly #plan: FaultPlan = createFaultPlan();
  readonly #time = new PlayedTime();
  readonly #clock = createClock(this.#time);
  readonly #isRehearsing: boolean;
  readonly limits: Limits;
  readonly places: readonly Place[];
  #lives = 0;
  /** Deaths so far. */
  deaths = 0;
  #kernel: Kernel | undefined;
  #isDead = false;
  #isOver = false;
  /** What the kernel reached of the points at which it may die, in order. */
  readonly points: FaultPoint[] = [];
  #begun = 0;
  /** Since its start nobody set the clock and the disk was not full: whatever waits for its time is not late. */
  isUntroubled = true;
  /** Bytes of the log when the group that is under way began: what stood there was acknowledged, or never will be. */
  #sureBytes = 0;

  constructor(options: WorldOptions) {
    const { random } = options;
    this.#options = options;
    this.#random = random;
    this.#isRehearsing = random.chance(0.2);
    const isTight = random.chance(0.3);
    this.limits = {
      runningMax: isTight ? 2 : 1_000,
      fileVersionsMax: isTight ? 3 : 100,
      finishedEntriesMax: isTight ? 4 : 100_000,
      eventsMax: isTight ? 60 : 10_000_000,
    };
    const ids = random.chance(0.3) ? [DEFAULT_WORKSPACE, SECOND] : [DEFAULT_WORKSPACE];
    this.places = ids.map((id) => ({ id, chronicle: new Chronicle(), notes: new Notes() }));
  }

  get kernel(): Kernel {
    if (this.#kernel === undefined) throw new Error('The world is closed');
    return this.#kernel;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Kernel time. */
  get now(): number {
    return this.#clock.now();
  }

  /** For the first time; mostly with a store that was made before, which saves time. */
  async begin(): Promise<void> {
    if (this.#random.chance(0.9)) await this.#copyNew();
    await this.#reopen();
    for (;;) {
      await this.until(this.#setLimits().catch(checkRefusal));
      if (!this.isDead) return;
      await this.#close();
      await this.#reopen();
      for (const { id, chronicle } of this.places) {
        const kept = await this.kernel.workspace(id).events.tail({}).catch(checkRefusal); // There may be no such workspace yet.
        if (kept !== undefined) chronicle.meet(kept.events, 1);
      }
    }
  }

  /** On what a death left; else after an orderly end. It may die of trouble at once, and then it is opened again. */
  async restart(): Promise<void> {
    this.#clearTrouble();
    await this.#close();
    if (!this.#isCalm && this.#random.chance(0.1)) this.planTrouble();
    this.#options.tamper?.(this.#directory);
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    for (;;) {
      try {
        await this.#open();
        if (!this.#isDead) return;
      } catch (error) {
        if (!(error instanceof PlayedCrash) && !isFault(error, 'storage_full')) throw error;
      }
      this.#clearTrouble();
      await this.#close();
    }
  }

  #clearTrouble(): void {
    this.#plan.clear();
    this.isUntroubled = true;
  }

  async #setLimits(): Promise<void> {
    const { workspaces } = this.kernel;
    const { runningMax, ...retention } = this.limits;
    const known = await workspaces.list();
    for (const { id } of this.places) {
      if (known.some((each) => each.id === id)) await workspaces.update(id, { runningMax, retention });
      else await workspaces.create(id, { runningMax, retention });
    }
  }

  /** Something goes wrong soon. */
  planTrouble(): void {
    if (this.#isCalm) return;
    const nth = 1 + this.#random.below(12);
    const slow = () => this.#time.pass(this.#random.below(SLOW_FLUSH_MS));
    const kind = this.#random.below(5);
    if (kind === 0) this.isUntroubled = false;
    if (kind === 0) this.#plan.plan(this.#random.pick(FULL_AT), nth, { kind: 'disk_full' });
    else if (kind === 1) this.#plan.plan(this.#random.pick(SLOW_AT), nth, { kind: 'call', action: slow });
    else this.#planDeath(this.#random.pick(POINTS), nth);
  }

  /** Nothing goes wrong any more, and what is late because something did is due. */
  calm(): void {
    this.#plan.clear();
    this.#isOver = true;
    if (!this.isUntroubled) this.#time.pass(LATE_MS_MAX);
  }

  pass(ms: number): void {
    this.#time.pass(ms);
  }

  setClock(byMs: number): void {
    this.isUntroubled = false;
    this.#time.setClock(byMs);
  }

  /** What the log has is taken over into the file, as happens when it is long. */
  checkpoint(): void {
    checkpoint(this.#directory);
  }

  /**
   * Lets the program run until this is settled or the kernel has died. Time passes a little with each turn, and when nothing happens any more,
   * as much as is needed; `beforeTime` is called before. Throws when somebody waits for ever.
   */
  async until<T>(promise: Promise<T>, beforeTime: () => Promise<void> = async () => {}): Promise<T | undefined> {
    const wasDead = this.#isDead;
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    let waitedMs = 0;
    let turns = 0;
    for (let idle = 0; !isSettled; ) {
      if (++turns > TURNS_MAX) throw new Error('Something goes on for ever');
      idle = (await this.#turn()) ? 0 : idle + 1;
      if (this.#isDead && !wasDead) return undefined;
      if (idle < IDLE_TURNS || isSettled) continue;
      await beforeTime();
      waitedMs += this.#time.passToNext(STRIDE_MS) ?? WAIT_MS_MAX;
      if (waitedMs > WAIT_MS_MAX) throw new Error('Somebody waits for ever');
      idle = 0;
    }
    return await promise;
  }

  /** Lets the program run until nothing happens without time passing. */
  async rest(): Promise<void> {
    for (let idle = 0; idle < IDLE_TURNS && !this.#isDead; ) idle = (await this.#turn()) ? 0 : idle + 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plan.clear();
    await this.#close().catch(() => {}); // The schedule failed and has said why.
    this.#time[Symbol.dispose]();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Whether something happened. */
  async #turn(): Promise<boolean> {
    const begun = this.#begun;
    this.#time.pass(1);
    const hasFired = this.#time.fire();
    await new Promise((resolve) => setImmediate(resolve));
    return hasFired || this.#begun !== begun;
  }

  get #isCalm(): boolean {
    return this.#options.death !== undefined;
  }

  get #directory(): string {
    return join(this.#root, `life-${this.#lives}`);
  }

  async #copyNew(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    const path = join(this.#directory, DATABASE);
    if (newStore !== undefined) return writeFileSync(path, newStore);
    await (await openKernel({ directory: this.#directory, clock: this.#clock })).close();
    newStore = readFileSync(path);
  }

  async #open(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    this.#isDead = false;
    const opening = openKernel({
      directory: this.#directory,
      clock: this.#clock,
      faults: this.#faults,
      recovery: this.#random.pick(RECOVERIES),
      isRehearsing: this.#isRehearsing,
    });
    await this.until(opening.then(() => {}, () => {})); // biome-ignore format: one line
    const kernel = await opening;
    this.#kernel = this.#options.wrap?.(kernel) ?? kernel;
    kernel.store.onCommit((id, events) => this.places.find((place) => place.id === id)?.chronicle.commit(events));
  }

  get #faults(): FaultPoints {
    return { reach: (point) => this.#reach(point) };
  }

  #reach(point: FaultPoint): void {
    if (!this.#isOver) this.points.push(point);
    if (point === 'store.begin') {
      this.#begun++;
      this.#sureBytes = sizeOf(join(this.#directory, LOG));
      for (const { chronicle } of this.places) chronicle.tell(); // Who asked for what the last group did.
    }
    if (this.#isOver) return;
    const { death } = this.#options;
    if (this.points.length === death?.step) {
      this.#die(death.tear);
      throw new PlayedCrash(`Died at ${point}`);
    }
    this.#plan.reach(point);
  }

  #planDeath(point: FaultPoint, nth: number): void {
    const before = () => this.#die(point === 'store.committed' ? this.#random.pick(['none', 'cut', 'spoil']) : 'none');
    this.#plan.plan(point, nth, { kind: 'crash', before });
  }

  #die(how: Tear): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.deaths++;
    for (const { chronicle } of this.places) chronicle.forget();
    const remains = join(this.#root, `life-${this.#lives + 1}`);
    mkdirSync(remains, { recursive: true });
    for (const name of [DATABASE, LOG]) {
      if (existsSync(join(this.#directory, name))) copyFileSync(join(this.#directory, name), join(remains, name));
    }
    tear(join(remains, LOG), this.#options.isDiskLying === true ? 0 : this.#sureBytes, how, this.#random);
  }

  async #close(): Promise<void> {
    const closing = this.#kernel;
    this.#kernel = undefined;
    const wasDead = this.#isDead;
    if (closing !== undefined) {
      const closed = closing.close();
      await this.until(wasDead ? closed.catch(() => {}) : closed); // The files of a dead one were kept before; what it does now is lost.
    }
    for (const { chronicle } of this.places) chronicle.tell();
    if (this.#isDead) this.#lives++;
  }
}

/**
 * The world a schedule runs in: a real kernel on real files in memory, a clock that the schedule moves, and deaths. When the kernel dies, its
 * files are kept as they are at that moment; after a power failure the end of the log, of which nobody was told, may be torn.
 */
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel, type WorkspaceKernel } from '@warren/kernel';
import { createClock, createFaultPlan, type FaultPlan, type FaultPoint, type FaultPoints, type Random } from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE } from '@warren/protocol';

const DATABASE = 'kernel.db';
const LOG = 'kernel.db-wal';
const START_MS = 1_800_000_000_000;
const SLOW_FLUSH_MS = 60_000;
const TORN_BYTES = 512;
const DEATHS: readonly [FaultPoint, ...FaultPoint[]] = [
  ...(['store.begin', 'store.body', 'store.commit', 'store.committed', 'body.chunk', 'store.purge'] as const),
];

export class World implements AsyncDisposable {
  readonly #random: Random;
  readonly #root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'warren-simulator-'));
  readonly #plan: FaultPlan = createFaultPlan();
  #wallMs = START_MS;
  #elapsedMs = 0;
  #lives = 0;
  #kernel: Kernel | undefined;
  #isDead = false;
  /** Bytes of the log when the group that is under way began: what stood there was acknowledged, or never will be. */
  #sureBytes = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get kernel(): Kernel {
    if (this.#kernel === undefined) throw new Error('The world is closed');
    return this.#kernel;
  }

  get mine(): WorkspaceKernel {
    return this.kernel.workspace(DEFAULT_WORKSPACE);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async open(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    const clock = createClock({ wall: () => this.#wallMs, monotonic: () => this.#elapsedMs });
    this.#isDead = false;
    this.#kernel = await openKernel({ directory: this.#directory, clock, faults: this.#faults });
  }

  /** Time passes. */
  pass(ms: number): void {
    this.#wallMs += ms;
    this.#elapsedMs += ms;
  }

  /** Somebody sets the clock of the machine; no time passes. */
  setClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Something goes wrong soon. */
  planTrouble(): void {
    const nth = 1 + this.#random.below(6);
    const slow = () => this.pass(this.#random.below(SLOW_FLUSH_MS));
    const kind = this.#random.below(5);
    if (kind === 0) this.#plan.plan('store.commit', nth, { kind: 'disk_full' });
    else if (kind === 1) this.#plan.plan('store.commit', nth, { kind: 'call', action: slow });
    else this.#planDeath(this.#random.pick(DEATHS), nth);
  }

  /** On what a death left; else an orderly restart. */
  async restart(): Promise<void> {
    this.#plan.clear();
    await this.#close();
    if (this.#isDead) this.#lives++;
    await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plan.clear();
    await this.#close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #directory(): string {
    return join(this.#root, `life-${this.#lives}`);
  }

  get #faults(): FaultPoints {
    return {
      reach: (point) => {
        if (point === 'store.begin') this.#sureBytes = sizeOf(join(this.#directory, LOG));
        this.#plan.reach(point);
      },
    };
  }

  async #close(): Promise<void> {
    const closing = this.#kernel;
    this.#kernel = undefined;
    if (this.#isDead)
      await closing?.close().catch(() => {}); // Its files were kept before; what it does now is lost.
    else await closing?.close();
  }

  #planDeath(point: FaultPoint, nth: number): void {
    this.#plan.plan(point, nth, { kind: 'crash', before: () => this.#die(point) });
  }

  #die(point: FaultPoint): void {
    if (this.#isDead) return;
    this.#isDead = true;
    const remains = join(this.#root, `life-${this.#lives + 1}`);
    mkdirSync(remains, { recursive: true });
    for (const name of [DATABASE, LOG]) {
      if (existsSync(join(this.#directory, name))) copyFileSync(join(this.#directory, name), join(remains, name));
    }
    if (point === 'store.committed' && this.#random.chance(0.5)) this.#tear(join(remains, LOG));
  }

  /** Bytes that were never acknowledged may be missing or wrong after a power failure. */
  #tear(log: string): void {
    const size = sizeOf(log);
    if (size <= this.#sureBytes) return;
    const from = this.#sureBytes + this.#random.below(size - this.#sureBytes);
    if (this.#random.chance(0.5)) truncateSync(log, from);
    else spoil(log, from, Buffer.alloc(Math.min(TORN_BYTES, size - from), this.#random.below(256)));
  }
}

function spoil(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, undefined, at);
  closeSync(file);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

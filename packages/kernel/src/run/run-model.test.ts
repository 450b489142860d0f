/** Runs against a model of them: whatever is asked in whatever order, each is where the model says, and its journal has what the model says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { RunLease, RunOutcome, RunState } from './runs.ts';

const HOUR_MS = 3_600_000;
const ATTEMPTS_MAX = 5;

type Kept = {
  readonly id: number;
  readonly parent: Kept | undefined;
  state: RunState;
  kinds: string[];
  outcome: RunOutcome | undefined;
  lease: RunLease | undefined;
  attempts: number;
  /** Which it waits for; also while somebody has it who was given it because its time had come, until he does something. */
  awaits: readonly number[] | undefined;
  hasAlarm: boolean;
  /** Somebody asked it to end. */
  isLeaving: boolean;
};

type Step =
  | { readonly what: 'create' | 'claim' | 'time' }
  | { readonly what: 'child' | 'append' | 'post' | 'wake' | 'end' | 'stop'; readonly of: number }
  | { readonly what: 'park'; readonly of: number; readonly hasRead: boolean; readonly hasAlarm: boolean; readonly awaits: boolean };

const of = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ what: 'create' }, { what: 'time' }) },
  { weight: 5, arbitrary: fc.constant<Step>({ what: 'claim' }) },
  { weight: 8, arbitrary: fc.record({ what: fc.constantFrom('child', 'append', 'append', 'post', 'wake', 'end', 'stop'), of }) },
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('park'), of, hasRead: fc.boolean(), hasAlarm: fc.boolean(), awaits: fc.boolean() }),
  },
);

it('a run is where everything that happened to it puts it', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      await using under = await openTestKernel({ isRehearsing: false });
      const model = new Model(under);
      for (const each of steps) {
        await model.take(each);
        await model.check();
      }
      await under.reopen();
      await model.check();
    }),
    { numRuns: Number(process.env['WARREN_PROPERTY_RUNS'] ?? 30) },
  );
});

class Model {
  readonly #under: TestKernel;
  readonly #all: Kept[] = [];

  constructor(under: TestKernel) {
    this.#under = under;
  }

  async check(): Promise<void> {
    const { runs } = this.#under.mine;
    const held = await runs.list({}, { limit: 1_000 });
    expect(held.toReversed().map(({ id, state, outcome }) => [id, state, outcome])).toEqual(this.#all.map(({ id, state, outcome }) => [id, state, outcome])); // biome-ignore format: one line
    for (const state of ['queued', 'running', 'waiting', 'ended'] as const)
      expect((await runs.list({ state })).map(({ id }) => id).toReversed()).toEqual(this.#all.filter((each) => each.state === state).map(({ id }) => id)); // biome-ignore format: one line
    for (const { id, kinds } of this.#all) expect((await runs.steps(id)).map(({ kind }) => kind)).toEqual(kinds);
  }

  async take(step: Step): Promise<void> {
    switch (step.what) {
      case 'create':
        return await this.#create(undefined);
      case 'claim':
        return await this.#claim();
      case 'time':
        return await this.#passTime();
      default: {
        const run = this.#all[this.#all.length - 1 - step.of];
        if (run !== undefined) await this.#ask(run, step);
      }
    }
  }

  async #ask(run: Kept, step: Exclude<Step, { readonly what: 'create' | 'claim' | 'time' }>): Promise<void> {
    const { runs } = this.#under.mine;
    switch (step.what) {
      case 'child':
        return run.state === 'ended' ? undefined : await this.#create(run);
      case 'append':
        if (run.lease === undefined) return;
        await runs.append(run.id, run.lease, [{ kind: 'model', body: {} }]);
        run.kinds.push('model');
        run.attempts = 1;
        run.awaits = undefined;
        return;
      case 'post':
        if (run.state === 'ended') return void (await expect(runs.post(run.id, {})).rejects.toMatchObject({ code: 'conflict' }));
        expect(await runs.post(run.id, {})).toBe(run.kinds.length);
        run.kinds.push('message');
        this.#wake(run);
        return;
      case 'wake':
        expect(await runs.wake(run.id)).toBe(run.state === 'waiting');
        this.#wake(run);
        return;
      case 'end':
        if (run.lease === undefined) return;
        await runs.end(run.id, run.lease, 'completed', {});
        return this.#finish(run, 'completed');
      case 'stop':
        return await this.#stop(run);
      case 'park':
        return await this.#park(run, step);
      default:
        step satisfies never;
    }
  }

  async #create(parent: Kept | undefined): Promise<void> {
    const { processes, runs } = this.#under.mine;
    const parentPid = parent === undefined ? undefined : (await runs.get(parent.id)).pid;
    const { pid } = await processes.create({ name: 'a', template: 't', parentPid });
    const { id } = await runs.create({ pid, task: {} });
    const begun = { state: 'queued', kinds: ['task'], outcome: undefined, lease: undefined, attempts: 0 } as const;
    this.#all.push({ id, parent, ...begun, kinds: ['task'], awaits: undefined, hasAlarm: false, isLeaving: false });
  }

  async #claim(): Promise<void> {
    const [claim] = await this.#under.mine.queue.claim({ worker: 'w', areRuns: true });
    const run = this.#all.find(({ id }) => id === claim?.entry.payload['run']);
    expect(run === undefined).toBe(!this.#all.some(({ state }) => state === 'queued'));
    if (run === undefined || claim === undefined) return;
    expect(run.state).toBe('queued');
    run.state = 'running';
    run.lease = { entry: claim.entry.id, fence: claim.fence };
    run.attempts += 1;
    run.hasAlarm = false;
  }

  /** So much that every lease runs out, every alarm goes off and every pause before another attempt is over. */
  async #passTime(): Promise<void> {
    for (const _ of ['leases and alarms', 'pauses']) {
      this.#under.clock.advance(2 * HOUR_MS);
      await this.#under.kernel.scheduler.tick();
    }
    this.#soundAlarms();
    const losers = this.#all
      .filter(({ state }) => state === 'running')
      .toSorted((one, other) => (one.lease?.entry ?? 0) - (other.lease?.entry ?? 0));
    for (const run of losers) {
      if (run.state !== 'running') continue; // It went with another.
      run.lease = undefined;
      if (run.isLeaving) this.#finish(run, 'stopped');
      else if (run.attempts >= ATTEMPTS_MAX) this.#finish(run, 'failed');
      else Object.assign(run, run.awaits === undefined ? { state: 'queued' } : { state: 'waiting', hasAlarm: true }); // Until the pause is over.
    }
    this.#soundAlarms();
  }

  #soundAlarms(): void {
    for (const run of this.#all) if (run.state === 'waiting' && run.hasAlarm) run.state = 'queued';
  }

  async #stop(run: Kept): Promise<void> {
    await this.#under.mine.runs.stop(run.id, 'why');
    if (run.state === 'ended') return;
    if (run.state !== 'running') return this.#finish(run, 'stopped');
    if (!run.isLeaving) run.kinds.push('note');
    run.isLeaving = true;
  }

  async #park(run: Kept, { hasRead, hasAlarm, awaits }: Extract<Step, { readonly what: 'park' }>): Promise<void> {
    if (run.lease === undefined) return;
    const children = this.#all.filter(({ parent }) => parent === run);
    const after = hasRead ? run.kinds.length - 1 : 0;
    const until = hasAlarm ? this.#under.clock.now() + 60_000 : undefined;
    const runs = awaits ? children.map(({ id }) => id) : [];
    const state = await this.#under.mine.runs.park(run.id, run.lease, { for: {}, after, until, runs });
    run.lease = undefined;
    run.attempts = 0;
    if (run.isLeaving) this.#finish(run, 'stopped');
    else {
      const hasCome = run.kinds.slice(after + 1).includes('message') || (awaits && children.some((each) => each.state === 'ended'));
      Object.assign(run, hasCome ? { state: 'queued', awaits: undefined, hasAlarm: false } : { state: 'waiting', awaits: runs, hasAlarm });
    }
    expect(state).toBe(run.state);
  }

  #wake(run: Kept): void {
    if (run.state === 'waiting') Object.assign(run, { state: 'queued', attempts: 0, awaits: undefined, hasAlarm: false });
  }

  #finish(run: Kept, outcome: RunOutcome): void {
    run.kinds.push('end');
    Object.assign(run, { state: 'ended', outcome, lease: undefined });
    const { parent } = run;
    if (parent?.awaits?.includes(run.id) === true) this.#wake(parent);
    for (const child of this.#all) if (child.parent === run && child.state !== 'ended') this.#finish(child, 'stopped');
  }
}

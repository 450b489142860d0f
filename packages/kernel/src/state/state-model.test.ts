/** State against a plain model of it: whatever is done in whatever order, over restarts and while time passes, it holds what the model holds. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { createState } from './create-state.ts';
import { VERSIONS_MAX } from './limits.ts';
import type { State, StateScope } from './state.ts';

const BYTES_MAX = 60;
const QUOTAS = { sessionBytes: BYTES_MAX, agentBytes: BYTES_MAX, sharedBytes: BYTES_MAX };
const KEYS = ['a', 'ab', 'b', '__proto__', '%'];

type Where = { readonly scope: number; readonly key: string };
type Step =
  | (Where & {
      readonly kind: 'set';
      readonly length: number;
      readonly ttlMs: number | undefined;
      readonly expected: 'right' | 'wrong' | 'none';
    })
  | (Where & { readonly kind: 'delete'; readonly expected: 'right' | 'wrong' | 'none' })
  | { readonly kind: 'clear'; readonly scope: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'restart' };

type Known = { readonly version: number; readonly value: string | undefined; readonly expiresAt: number | undefined };

/** A scope as lists of versions, newest first. */
class Model {
  readonly keys = new Map<string, Known[]>();
  isOver = false;
  /** Above all versions of what nobody remembers. */
  floor = 0;
  readonly keep: number;
  readonly isShared: boolean;

  constructor(scope: StateScope) {
    this.keep = scope.kind === 'agent' ? VERSIONS_MAX : 1;
    this.isShared = scope.kind === 'shared';
  }

  /** What has expired is a deletion, and its history is gone. */
  pass(now: number): void {
    for (const [key, [newest]] of this.keys) {
      if (newest?.expiresAt !== undefined && newest.expiresAt <= now)
        this.keys.set(key, [{ version: newest.version, value: undefined, expiresAt: undefined }]);
    }
  }

  find(key: string): Known | undefined {
    const [newest] = this.keys.get(key) ?? [];
    return newest?.value === undefined ? undefined : newest;
  }

  live(): readonly string[] {
    return [...this.keys.keys()].filter((key) => this.find(key) !== undefined).toSorted();
  }

  bytes(except?: string): number {
    let sum = 0;
    for (const [key, versions] of this.keys) if (key !== except) sum += sizeOf(versions);
    return sum;
  }

  /** The code of the fault, or the new version. */
  set(key: string, value: string, expiresAt: number | undefined, expected: number | undefined): string | number {
    if (this.isOver) return 'illegal_transition';
    if (this.isShared && expected === undefined) return 'invalid_argument';
    if (expected !== undefined && expected !== (this.find(key)?.version ?? 0)) return 'conflict';
    const before = this.keys.get(key) ?? [];
    const version = (before[0]?.version ?? this.floor) + 1;
    if (this.bytes(key) + value.length + 2 > BYTES_MAX) return 'quota_exceeded';
    const versions = [{ version, value, expiresAt }];
    for (const each of before) {
      if (versions.length === this.keep || this.bytes(key) + sizeOf([...versions, each]) > BYTES_MAX) break;
      versions.push({ ...each, expiresAt: undefined, value: each.value as string }); // Deletions too.
    }
    this.keys.set(key, versions);
    return version;
  }

  delete(key: string, expected: number | undefined): string | boolean {
    if (this.isOver) return 'illegal_transition';
    if (this.isShared && expected === undefined) return 'invalid_argument';
    const found = this.find(key);
    if (expected !== undefined && expected !== (found?.version ?? 0)) return 'conflict';
    if (found === undefined) return false;
    const before = this.keys.get(key) ?? [];
    const deletion = { version: found.version + 1, value: undefined, expiresAt: undefined };
    this.keys.set(key, [deletion, ...before.map((each) => ({ ...each, expiresAt: undefined }))].slice(0, this.keep));
    return true;
  }

  clear(): number {
    const { length } = this.live();
    for (const [newest] of this.keys.values()) this.floor = Math.max(this.floor, newest?.version ?? 0);
    this.keys.clear();
    return length;
  }
}

function sizeOf(versions: readonly Known[]): number {
  return versions.reduce((sum, { value }) => sum + (value === undefined ? 0 : value.length + 2), 0);
}

class Subject {
  readonly test: TestKernel;
  readonly scopes: StateScope[];
  readonly models: Model[];
  state!: State; // `open` sets it.
  pid = 0;

  constructor(test: TestKernel) {
    this.test = test;
    this.scopes = [{ kind: 'agent', agent: 'alice' }, { kind: 'shared' }, { kind: 'agent', agent: 'bob' }];
    this.models = this.scopes.map((scope) => new Model(scope));
    this.open();
  }

  open(): void {
    this.state = createState({ store: this.test.kernel.store.workspace(DEFAULT_WORKSPACE), quotas: QUOTAS });
  }

  /** The fourth scope is the session of the process that lives now. */
  async spawn(): Promise<void> {
    this.pid = (await this.test.mine.processes.create({ name: 'a', template: 't' })).pid;
    this.scopes.push({ kind: 'session', pid: this.pid });
    this.models.push(new Model({ kind: 'session', pid: this.pid }));
  }

  at(index: number): { readonly scope: StateScope; readonly model: Model } {
    const place = index === 3 ? this.scopes.length - 1 : index;
    return { scope: this.scopes[place] as StateScope, model: this.models[place] as Model }; // There are four at least.
  }
}

const where = { scope: fc.nat(3), key: fc.constantFrom(...KEYS) };
const expected = fc.constantFrom('right' as const, 'right' as const, 'wrong' as const, 'none' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), ...where, length: fc.constantFrom(0, 1, 5, 20, 58, 59), ttlMs: fc.option(fc.constantFrom(5, 10, 1_500), { nil: undefined, freq: 2 }), expected }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), ...where, expected }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), scope: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 5, 10, 2_000) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'end' }, { kind: 'sweep' }, { kind: 'restart' }) },
); // biome-ignore format: a table

async function perform(subject: Subject, each: Step, index: number): Promise<void> {
  const { test, state } = subject;
  const now = test.clock.now();
  switch (each.kind) {
    case 'set': {
      const { scope, model } = subject.at(each.scope);
      const value = String.fromCharCode(97 + (index % 26)).repeat(each.length);
      const expectedVersion = expectation(model, each);
      const before = model.find(each.key);
      const told = await outcome(state.set(scope, each.key, value, { expectedVersion, ttlMs: each.ttlMs }));
      const modelled = model.set(each.key, value, each.ttlMs === undefined ? undefined : now + each.ttlMs, expectedVersion);
      const done = { version: modelled, previousVersion: before?.version ?? 0, previous: before?.value };
      return expect(told).toEqual(typeof modelled === 'string' ? modelled : done);
    }
    case 'delete': {
      const { scope, model } = subject.at(each.scope);
      const expectedVersion = expectation(model, each);
      const previous = model.find(each.key)?.value;
      const told = await outcome(state.delete(scope, each.key, { expectedVersion }));
      const modelled = model.delete(each.key, expectedVersion);
      return expect(told).toEqual(typeof modelled === 'string' ? modelled : { isDeleted: modelled, previous });
    }
    case 'clear': {
      const { scope, model } = subject.at(each.scope);
      return expect(await state.clear(scope)).toBe(model.clear());
    }
    case 'pass':
      test.clock.advance(each.ms);
      for (const model of subject.models) model.pass(test.clock.now());
      return;
    case 'end': {
      await test.mine.processes.end(subject.pid, 'completed');
      const { model } = subject.at(3);
      model.clear();
      model.isOver = true;
      if (index % 2 === 0) await subject.spawn();
      else subject.pid = (await test.mine.processes.create({ name: 'a', template: 't' })).pid;
      return;
    }
    case 'sweep':
      await test.kernel.purger.purge();
      return;
    case 'restart':
      await test.reopen();
      subject.open();
      return;
    default:
      each satisfies never;
  }
}

function expectation(
  model: Model,
  { key, expected: kind }: Step & { readonly key: string; readonly expected: 'right' | 'wrong' | 'none' },
): number | undefined {
  const actual = model.find(key)?.version ?? 0;
  return kind === 'none' ? undefined : kind === 'right' ? actual : actual + 1;
}

async function outcome(attempt: Promise<unknown>): Promise<unknown> {
  return await attempt.catch((error) => error.code ?? error);
}

async function compare({ state, scopes, models }: Subject): Promise<void> {
  for (const [index, scope] of scopes.entries()) {
    const model = models[index] as Model; // One for each.
    const { entries, next, count, totalBytes } = await state.list(scope);
    expect(entries.map(({ key, value, version, expiresAt }) => [key, value, version, expiresAt])).toEqual(
      model.live().map((key) => [key, model.find(key)?.value, model.find(key)?.version, model.find(key)?.expiresAt]),
    );
    expect([next, count, totalBytes]).toEqual([undefined, model.live().length, model.bytes()]);
    expect(await state.quota(scope)).toEqual({ usedBytes: model.bytes(), limitBytes: BYTES_MAX, keys: count });
    for (const key of KEYS) {
      const versions = model.keys.get(key) ?? [];
      expect((await state.history(scope, key)).map(({ version, value }) => [version, value])).toEqual(
        versions.map(({ version, value }) => [version, value]),
      );
      expect((await state.get(scope, key))?.value).toBe(model.find(key)?.value);
    }
  }
}

async function check(steps: readonly Step[]): Promise<void> {
  await using test = await openTestKernel({ isRehearsing: false });
  const subject = new Subject(test);
  await subject.spawn();
  for (const [index, each] of steps.entries()) {
    await perform(subject, each, index);
    await compare(subject);
  }
  expect(await test.kernel.store.check()).toEqual([]);
}

it('state holds what the model holds', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), check), {
    numRuns: 40,
    endOnFailure: true,
  });
}, 120_000);

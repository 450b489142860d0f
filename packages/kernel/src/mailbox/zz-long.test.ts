/** A box against a plain model of it: whatever is done in whatever order, over restarts, mail is neither lost nor handed out twice at a time. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openTestMail, type TestMail } from './test-support/open-test-mail.ts';

const CAPACITY = 4;
const SENDER_CAPACITY = 2;
const DELIVERIES_MAX = 3;
const RETENTION_MS = 100;

type Step =
  | {
      readonly kind: 'send';
      readonly sender: number;
      readonly priority: number;
      readonly ttl: number | undefined;
      readonly isPublished: boolean;
    }
  | { readonly kind: 'receive'; readonly limit: number; readonly visibilityMs: number; readonly isOfTopic: boolean }
  | { readonly kind: 'acknowledge'; readonly which: number }
  | { readonly kind: 'replay'; readonly limit: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'restart' };

/** `hiddenUntil` 0: it waits. */
type Known = {
  readonly id: number;
  readonly sender: number;
  readonly priority: number;
  readonly expiresAt: number | undefined;
  readonly isPublished: boolean;
  deliveries: number;
  deliveredAt: number | undefined;
  hiddenUntil: number;
};

/** What a box should be, said plainly. What is past its time may be there still or not, and nobody can tell. */
class Model {
  live: Known[] = [];
  readonly dead: Known[] = [];
  readonly done = new Set<number>();

  pending(now: number): readonly Known[] {
    return this.live.filter((each) => each.deliveredAt === undefined && !isExpired(each, now));
  }

  delivered(): readonly Known[] {
    return this.live.filter((each) => each.deliveredAt !== undefined);
  }

  receive(now: number, limit: number, hiddenUntil: number, isOfTopic: boolean): readonly number[] {
    const visible = () =>
      this.live
        .filter((each) => each.hiddenUntil <= now && !isExpired(each, now) && (each.isPublished || !isOfTopic))
        .sort((one, other) => other.priority - one.priority || one.id - other.id)
        .slice(0, limit);
    for (let found = visible(); ; found = visible()) {
      const spent = found.filter(({ deliveries }) => deliveries >= DELIVERIES_MAX);
      this.dead.push(...spent);
      this.live = this.live.filter((each) => !spent.includes(each));
      if (spent.length > 0) continue;
      for (const each of found) Object.assign(each, { deliveries: each.deliveries + 1, deliveredAt: now, hiddenUntil });
      return found.map(({ id }) => id);
    }
  }

  replay(now: number, limit: number): readonly number[] {
    const found = this.live.filter((each) => !isExpired(each, now)).slice(0, limit);
    for (const each of found)
      if (each.deliveredAt === undefined) Object.assign(each, { deliveries: each.deliveries + 1, deliveredAt: now });
    return found.map(({ id }) => id);
  }

  expire(now: number): void {
    const isKept = (each: Known) =>
      !isExpired(each, now) && (each.deliveredAt === undefined || each.deliveredAt + RETENTION_MS > now || each.hiddenUntil > now);
    this.live = this.live.filter(isKept);
  }
}

function isExpired({ expiresAt }: Known, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('send' as const), sender: fc.nat(1), priority: fc.integer({ min: -1, max: 1 }), ttl: fc.option(fc.constantFrom(10, 20, 40), { nil: undefined, freq: 1 }), isPublished: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('receive' as const), limit: fc.integer({ min: 1, max: 3 }), visibilityMs: fc.constantFrom(10, 20, 40), isOfTopic: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 10, 20) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'expire' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
); // biome-ignore format: a table

async function check(steps: readonly Step[]): Promise<void> {
  await using test = await openTestMail({ isRehearsing: false });
  const senders = [await test.process(), await test.process()];
  const pid = await test.box({
    capacity: CAPACITY,
    senderCapacity: SENDER_CAPACITY,
    retentionMs: RETENTION_MS,
    deliveriesMax: DELIVERIES_MAX,
  });
  await test.mail.subscribe(pid, 'news.*');
  const model = new Model();
  for (const each of steps) {
    await perform(test, model, pid, senders, each);
    await compare(test, model, pid);
  }
  expect(await test.test.kernel.store.check()).toEqual([]);
}

async function perform(test: TestMail, model: Model, pid: number, senders: readonly number[], step: Step): Promise<void> {
  const now = test.test.clock.now();
  switch (step.kind) {
    case 'send':
      return await performSend(test, model, pid, senders[step.sender] ?? 0, step);
    case 'receive': {
      const { limit, visibilityMs, isOfTopic } = step;
      const got = await test.mail.receive(pid, { limit, visibilityMs, topic: isOfTopic ? 'news.all' : undefined });
      expect(got.map(({ id }) => id)).toEqual(model.receive(now, limit, now + visibilityMs, isOfTopic));
      return;
    }
    case 'acknowledge': {
      const target = model.live[step.which];
      if (target === undefined) return;
      expect(await test.mail.acknowledge(pid, [target.id, target.id])).toBe(1);
      model.done.add(target.id);
      model.live = model.live.filter((each) => each !== target);
      return;
    }
    case 'replay': {
      const { messages } = await test.mail.replay(pid, { limit: step.limit, marksDelivered: true });
      expect(messages.map(({ id }) => id)).toEqual(model.replay(now, step.limit));
      return;
    }
    case 'pass':
      test.test.clock.advance(step.ms);
      return;
    case 'expire':
      await test.mail.expire();
      model.expire(now);
      return;
    case 'restart':
      return await test.reopen();
    default:
      step satisfies never;
  }
}

async function performSend(
  test: TestMail,
  model: Model,
  pid: number,
  sender: number,
  { priority, ttl, isPublished }: Extract<Step, { kind: 'send' }>,
): Promise<void> {
  const now = test.test.clock.now();
  const expiresAt = ttl === undefined ? undefined : now + ttl;
  const letter = { kind: 'k', priority, expiresAt };
  const id = isPublished
    ? (await test.mail.publish(sender, 'news.all', letter)).messageIds[0]
    : await test.mail.send(sender, pid, letter).catch((error) => {
        expect(error.code).toBe('mailbox_full');
        return undefined;
      });
  const pending = model.pending(now);
  const mine = pending.filter((each) => each.sender === sender);
  await forgive(test, model, pid);
  if (id !== undefined) {
    expect(pending.length).toBeLessThan(CAPACITY);
    expect(mine.length).toBeLessThan(SENDER_CAPACITY);
    model.live.push({ id, sender, priority, expiresAt, isPublished, deliveries: 0, deliveredAt: undefined, hiddenUntil: 0 });
  } else {
    const isCrowded = pending.length >= CAPACITY || mine.length >= SENDER_CAPACITY || model.delivered().length >= CAPACITY * 4;
    expect(isCrowded).toBe(true);
  }
}

/** Who sends may have removed something to make room: what is past its time, and in a box full of what was only replayed, some of that. */
async function forgive(test: TestMail, model: Model, pid: number): Promise<void> {
  const now = test.test.clock.now();
  const kept = new Set((await test.mail.replay(pid, { limit: 100 })).messages.map((message) => message.id));
  const isFull = model.delivered().length >= CAPACITY * 4;
  const mayGo = (each: Known) => isPast(each, now) || (isFull && each.deliveredAt !== undefined && each.hiddenUntil === 0);
  model.live = model.live.filter((each) => kept.has(each.id) || !mayGo(each));
}

function isPast(each: Known, now: number): boolean {
  return isExpired(each, now) || (each.deliveredAt !== undefined && each.deliveredAt + RETENTION_MS <= now && each.hiddenUntil <= now);
}

/** Nothing that was neither acknowledged nor past its time is missing, and nothing that was is there. */
async function compare(test: TestMail, model: Model, pid: number): Promise<void> {
  const now = test.test.clock.now();
  const { messages } = await test.mail.replay(pid, { limit: 100 });
  expect(messages.map(({ id }) => id)).toEqual(model.live.filter((each) => !isExpired(each, now)).map(({ id }) => id));
  for (const message of messages) {
    const known = model.live.find(({ id }) => id === message.id);
    expect([message.deliveries, message.deliveredAt]).toEqual([known?.deliveries, known?.deliveredAt]);
    expect(model.done.has(message.id)).toBe(false);
  }
  const box = await test.mail.findBox(pid);
  expect(box?.pending).toBeLessThanOrEqual(CAPACITY);
  expect(box?.delivered).toBeLessThanOrEqual(CAPACITY * 4 + CAPACITY);
  expect((await test.mail.listDead(pid)).messages.every(({ id }) => model.dead.some((each) => each.id === id))).toBe(true);
}

it('a box does what the model says', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), check), {
    numRuns: 250,
    endOnFailure: true,
  });
}, 200_000);

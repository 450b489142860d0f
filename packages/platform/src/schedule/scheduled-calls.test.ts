/** Calls at a later time, through a real gate and into a real audit. A test owns the clock and makes them itself when it has moved it. */
import { randomUUID } from 'node:crypto';
import { type Capability, createPolicy, type Gate, NO_FACTS, openAudit, openAuditIndex } from '@warren/kernel';
import type { JsonObject, WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createSchedulerHandlers } from '../handler/scheduler/create-scheduler-handlers.ts';
import { type Caller, HandlerHost } from '../handler/test-support/handler-host.ts';
import { ScheduledCalls } from './scheduled-calls.ts';

type Made = { readonly pid: number; readonly agent: string; readonly workspace: string; readonly input: JsonObject; readonly at: number };

/** 2027-01-15T08:00:00Z. */
const START = 1_800_000_000_000;
const MINUTE = 60_000;

class Desk implements AsyncDisposable {
  readonly made: Made[] = [];
  readonly said: string[] = [];
  /** Awaited by each call before it ends. */
  holding: Promise<void> = Promise.resolve();
  begun = (): void => {};
  effect: Capability['effect'] = 'once';
  host!: HandlerHost;
  gate!: Gate;
  calls!: ScheduledCalls;
  #opened!: AsyncDisposableStack;

  static async open(): Promise<Desk> {
    const desk = new Desk();
    const capabilities = () => desk.#table;
    desk.host = await HandlerHost.open(({ now }) => createSchedulerHandlers({ calls: () => desk.calls, capabilities, now }));
    await desk.begin();
    return desk;
  }

  readonly #note: Capability = {
    ...{ name: 'test.note', version: '1.0', effect: 'once', defaultTier: 'autonomous', tags: [], taints: [], concurrencyMax: 16 },
    deadlineMs: { default: 60_000, max: 60_000 },
    parse: (input) =>
      Object.hasOwn(input, 'wrong') ? { kind: 'invalid', problems: [{ field: 'wrong', reason: 'is wrong' }] } : { kind: 'valid', input },
    facts: () => NO_FACTS,
    redact: (input) => (input['pin'] === undefined ? input : { ...input, pin: '[REDACTED:pin]' }),
    redactWhole: (input) => this.#note.redact(input),
    act: async ({ actor, input, signal }) => {
      this.made.push({ ...actor, input, at: this.host.time });
      this.begun();
      const told = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to end'))));
      await Promise.race([this.holding, told]);
      return { kind: 'done', output: {}, taint: input['web'] === true ? ['web'] : [] };
    },
  };
  readonly #table = {
    revision: 1,
    find: (name: string) => (name === 'test.note' ? { ...this.#note, effect: this.effect } : undefined),
    list: () => [this.#note],
  };

  async begin(): Promise<void> {
    const { host } = this;
    const opened = new AsyncDisposableStack();
    const places = { directory: host.directory.join('audit'), keyFile: host.directory.join('audit.key') };
    const audit = opened.use(await openAudit({ ...places, clock: { now: host.now }, openIndex: openAuditIndex }));
    const policy = createPolicy([], { version: 'test' });
    this.gate = opened.use(await host.kernel.openGate({ capabilities: this.#table, policyOf: () => policy, audit }));
    await this.gate.begin();
    const parts = { kernel: host.kernel, gate: this.gate, now: host.now, newId: () => `job_${randomUUID()}` };
    this.calls = opened.use(new ScheduledCalls({ ...parts, say: (text) => void this.said.push(text) }));
    await this.calls.begin();
    this.#opened = opened;
  }

  async restart(): Promise<void> {
    await this.#opened.disposeAsync();
    await this.host.reopen();
    await this.begin();
  }

  async start(agent: string, workspace?: WorkspaceId): Promise<Caller> {
    const caller = await this.host.start(agent, workspace);
    await this.host.mine(workspace).grants.create(caller.pid, { tools: ['*'] });
    return caller;
  }

  async cron(who: Caller, schedule: string, more: JsonObject = {}): Promise<string> {
    return String((await this.host.call(who, 'scheduler.cron_create', { capability: 'test.note', schedule, ...more }))['cron_id']);
  }

  async pass(ms: number): Promise<void> {
    this.host.time += ms;
    await this.calls.tick();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
    await this.host[Symbol.asyncDispose]();
  }
}

describe('a scheduled call', () => {
  it('is made as the agent that asked for it, at its time and at no other, after a restart too', async () => {
    await using desk = await Desk.open();
    const [old, bob] = [await desk.start('ada'), await desk.start('bob')];
    const created = await desk.host.call(old, 'scheduler.cron_create', {
      capability: 'test.note',
      inputs: { n: 1 },
      schedule: '*/5 * * * *',
    });
    expect(created).toMatchObject({ schedule: '*/5 * * * *', next_run: '2027-01-15T08:05:00.000Z', capability: 'test.note' });
    await desk.cron(bob, '0 9 * * *');
    await desk.pass(5 * MINUTE - 1);
    expect(desk.made).toEqual([]);
    await desk.pass(1);
    await desk.calls.tick();
    expect(desk.made).toEqual([{ workspace: old.workspace, pid: old.pid, agent: 'ada', input: { n: 1 }, at: START + 5 * MINUTE }]);
    await desk.host.end(old);
    const ada = await desk.start('ada');
    await desk.restart();
    await desk.pass(17 * MINUTE); // Three times were missed: they count once.
    expect(desk.made.slice(1)).toMatchObject([{ pid: ada.pid, agent: 'ada' }]);
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toMatchObject({
      total: 1,
      jobs: [{ next_run: '2027-01-15T08:25:00.000Z', enabled: true }],
    });
  });

  it('is listed without its secrets, and made with them', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', inputs: { pin: '4711', to: 'x' }, delay_seconds: 60 });
    const listed = await desk.host.call(ada, 'scheduler.cron_list');
    expect(listed).toMatchObject({ jobs: [{ inputs: { pin: '[REDACTED:pin]', to: 'x' } }] });
    expect(JSON.stringify(listed)).not.toContain('4711');
    await desk.pass(90_000);
    expect(desk.made).toMatchObject([{ input: { pin: '4711', to: 'x' } }]);
  });

  it('with a delay is made once and is gone', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    const delay = { capability: 'test.note', inputs: {} };
    expect(await desk.host.call(ada, 'scheduler.delay', { ...delay, delay_seconds: 90 })).toMatchObject({
      run_at: '2027-01-15T08:01:30.000Z',
    });
    await desk.host.call(ada, 'scheduler.delay', { ...delay, run_at: '2020-01-01T00:00:00Z' });
    for (const when of [{}, { delay_seconds: 1, run_at: '2030-01-01T00:00:00Z' }])
      expect(await desk.host.errorOf(ada, 'scheduler.delay', { ...delay, ...when })).toBe('InvalidInput');
    await desk.pass(90_000);
    await desk.pass(90_000);
    expect(desk.made).toHaveLength(2);
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toEqual({ jobs: [], total: 0 });
    await desk.restart();
    await desk.pass(90_000);
    expect(desk.made).toHaveLength(2);
  });

  it('is made once when the kill comes between the call and the note of it, even if the agent has another process then', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 });
    const scope = { kind: 'own', name: 'jobs/agent:ada' } as const;
    const { state } = desk.host.mine();
    const [job] = (await state.list(scope)).entries;
    if (job === undefined) throw new Error('nothing was kept');
    await desk.pass(MINUTE);
    expect(desk.made).toHaveLength(1);
    await state.set(scope, job.key, { ...(job.value as JsonObject), caller: ada.pid }); // As the kill leaves it.
    await desk.start('ada');
    await desk.restart();
    await desk.pass(0);
    expect(desk.made).toHaveLength(1);
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toMatchObject({ total: 0 });
  });

  it('that could not be noted is tried again under the key of its time', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 });
    const real = desk.gate.call.bind(desk.gate);
    const failing: Gate['call'] = async (...call) => {
      await real(...call);
      throw new Error('the disk is full');
    };
    Object.defineProperty(desk.gate, 'call', { value: failing, configurable: true });
    await desk.pass(MINUTE);
    Object.defineProperty(desk.gate, 'call', { value: real, configurable: true });
    expect(desk.said).toHaveLength(1);
    await desk.pass(MINUTE);
    expect(desk.made).toHaveLength(1);
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toMatchObject({ total: 0 });
  });

  it('is not made after it was deleted, not even by a call of it that was under way', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    const id = await desk.cron(ada, '* * * * *');
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    desk.holding = held;
    desk.begun = begin;
    const ticking = desk.pass(MINUTE);
    await begun;
    await desk.calls.tick(); // While it runs it is not due again.
    expect(await desk.host.call(ada, 'scheduler.cron_delete', { cron_id: id })).toEqual({ deleted: true, cron_id: id });
    release();
    await ticking;
    await desk.pass(MINUTE);
    await desk.restart();
    await desk.pass(MINUTE);
    expect(desk.made).toHaveLength(1);
    expect(await desk.host.call(ada, 'scheduler.cron_delete', { cron_id: id })).toEqual({ deleted: false, cron_id: id });
  });

  it('of an agent is neither seen nor deleted by another, nor from another workspace', async () => {
    await using desk = await Desk.open();
    const { id: acme } = await desk.host.kernel.workspaces.create('acme' as WorkspaceId);
    const ada = await desk.start('ada');
    const id = await desk.cron(ada, '* * * * *');
    for (const stranger of [
      await desk.start('bob'),
      await desk.start('ada', acme),
      await desk.start(''),
      await desk.start('agent:ada'),
      await desk.start('jobs/agent:ada'),
    ]) {
      expect(await desk.host.call(stranger, 'scheduler.cron_list')).toEqual({ jobs: [], total: 0 });
      expect(await desk.host.call(stranger, 'scheduler.cron_delete', { cron_id: id })).toMatchObject({ deleted: false });
    }
    for (const hostile of ['__proto__', '../x', 'a\0'])
      expect(await desk.host.call(ada, 'scheduler.cron_delete', { cron_id: hostile })).toMatchObject({ deleted: false });
    await desk.pass(MINUTE);
    expect(desk.made).toMatchObject([{ agent: 'ada', workspace: ada.workspace }]);
  });

  it('has times, a capability and arguments that exist', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    const errorOf = (input: JsonObject) =>
      desk.host.errorOf(ada, 'scheduler.cron_create', { capability: 'test.note', schedule: '* * * * *', ...input });
    for (const schedule of ['61 * * * *', '* * * * * *', '* * *', 'x', '2027-01-01T00:00:00', '0 0 30 2 *', '(a+)+$'])
      expect([schedule, await errorOf({ schedule })]).toEqual([schedule, 'InvalidCronExpression']);
    for (const schedule of ['* * *\0 * *', 'x'.repeat(1_000_000)]) expect(await errorOf({ schedule })).toBe('InvalidInput');
    expect(await errorOf({ timezone: 'Nowhere/Else' })).toMatch(/InvalidCronExpression|InvalidInput/);
    for (const capability of ['test.none', '__proto__', 'constructor']) expect(await errorOf({ capability })).toBe('CapabilityNotFound');
    expect(await errorOf({ inputs: { wrong: 1 } })).toBe('InvalidArguments');
    expect(await errorOf({ inputs: { large: 'x'.repeat(65_536) } })).toBe('SchedulerError');
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toMatchObject({ total: 0 });
  });

  it('is one of at most a hundred of its agent', async () => {
    await using desk = await Desk.open();
    const [ada, bob] = [await desk.start('ada'), await desk.start('bob')];
    const job = { capability: 'test.note', schedule: '* * * * *' };
    for (let each = 0; each < 100; each++) await desk.host.call(ada, 'scheduler.cron_create', job);
    expect(await desk.host.errorOf(ada, 'scheduler.cron_create', job)).toBe('TooManyJobs');
    expect(await desk.host.errorOf(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 })).toBe('TooManyJobs');
    await desk.host.call(bob, 'scheduler.cron_create', job);
    expect(await desk.host.call(ada, 'scheduler.cron_list')).toMatchObject({ total: 100 });
  });

  it('goes by the clock of its zone, over a change of clocks', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    desk.host.time = Date.parse('2027-03-27T12:00:00Z');
    await desk.cron(ada, '30 2 * * *', { timezone: 'Europe/Zurich' });
    const next = async () => ((await desk.host.call(ada, 'scheduler.cron_list'))['jobs'] as { next_run: string }[])[0]?.next_run;
    expect(await next()).toBe('2027-03-28T01:00:00.000Z'); // There is no half past two on that day.
    await desk.pass(13 * 60 * MINUTE);
    expect(await next()).toBe('2027-03-29T00:30:00.000Z');
    expect(desk.made).toHaveLength(1);
  });

  it('carries what its process had read when it asked', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    await desk.gate.call(ada.workspace, { pid: ada.pid, capability: 'test.note', input: { web: true } });
    await desk.cron(ada, '* * * * *');
    await desk.host.end(ada);
    const fresh = await desk.start('ada');
    const asked: unknown[] = [];
    const real = desk.gate.call.bind(desk.gate);
    const asking: Gate['call'] = async (...call) => {
      asked.push(call[1].taint);
      return await real(...call);
    };
    Object.defineProperty(desk.gate, 'call', { value: asking });
    await desk.pass(MINUTE);
    expect(desk.made.at(-1)).toMatchObject({ pid: fresh.pid });
    expect(asked).toEqual([['web']]);
  });

  it.each([
    ['idempotent', [1, 2], 0],
    ['once', [1, 1], 1],
  ] as const)('of effect %s that the end of Warren cuts off is made again or told to people', async (effect, times, alerts) => {
    await using desk = await Desk.open();
    desk.effect = effect;
    const ada = await desk.start('ada');
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 });
    desk.holding = new Promise(() => {});
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    desk.begun = begin;
    const ticking = desk.pass(MINUTE);
    await begun;
    desk.calls.stop();
    await desk.gate.close({ drainMs: 0 });
    await ticking;
    desk.holding = Promise.resolve();
    const before = desk.made.length;
    await desk.restart();
    await desk.pass(1);
    expect([before, desk.made.length]).toEqual(times);
    expect((await desk.host.mine().alerts.list()).alerts).toHaveLength(alerts);
    expect(desk.calls.list(ada)).toEqual([]);
  });

  it('that is due while Warren stops stays due', async () => {
    await using desk = await Desk.open();
    const ada = await desk.start('ada');
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 });
    desk.calls.stop();
    await desk.pass(MINUTE);
    expect([desk.made, desk.said]).toEqual([[], []]);
    await desk.restart();
    await desk.calls.tick();
    expect(desk.made).toHaveLength(1);
  });

  it('whose agent has no process is told to people when it does not come again', async () => {
    await using desk = await Desk.open();
    const [ada, nobody] = [await desk.start('ada'), await desk.start('')];
    await desk.host.call(ada, 'scheduler.delay', { capability: 'test.note', delay_seconds: 60 });
    await desk.cron(ada, '* * * * *');
    await desk.cron(nobody, '* * * * *');
    await desk.host.end(ada);
    await desk.host.end(nobody);
    await desk.pass(MINUTE);
    expect(desk.made).toEqual([]);
    expect((await desk.host.mine().alerts.list()).alerts).toMatchObject([{ agent: 'ada', severity: 'warning' }]);
    expect(desk.calls.list(nobody)).toEqual([]);
    const back = await desk.start('ada');
    await desk.pass(MINUTE);
    expect(desk.made).toMatchObject([{ pid: back.pid }]);
  });

  it('of one agent does not keep another from its turn', async () => {
    await using desk = await Desk.open();
    const [ada, bob] = [await desk.start('ada'), await desk.start('bob')];
    for (let n = 0; n < 8; n++) await desk.cron(ada, '* * * * *', { inputs: { n } });
    await desk.cron(bob, '* * * * *');
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    desk.holding = held;
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    desk.begun = () => {
      if (desk.made.length === 5) begin();
    };
    const ticking = desk.pass(MINUTE);
    await begun;
    expect(desk.made.map(({ agent }) => agent).toSorted()).toEqual(['ada', 'ada', 'ada', 'ada', 'bob']);
    release();
    await ticking;
    await desk.calls.tick();
    expect(desk.made).toHaveLength(9);
  });
});

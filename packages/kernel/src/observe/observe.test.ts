import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import { expose } from './exposition.ts';

const LINE =
  /^(?:# HELP [a-z_]+ .*|# TYPE [a-z_]+ (?:counter|gauge|histogram)|[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.e+-]+)$/;

describe('the text for Prometheus', () => {
  it('has a line for each sample, labels sorted and escaped, and a newline at the end', () => {
    const text = expose([
      { name: 'a_total', help: 'What\nit is', type: 'counter', samples: [{ value: 3 }, { labels: { z: '1', a: 'x"y\\z\n' }, value: 0.5 }] },
    ]);
    expect(text).toBe('# HELP a_total What\\nit is\n# TYPE a_total counter\na_total 3\na_total{a="x\\"y\\\\z\\n",z="1"} 0.5\n');
  });

  it('parses, whatever stands in labels', () => {
    const character = fc.oneof(
      fc.constantFrom('"', '\\', '\n', '\r', '\0', '\u2028'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit: character }), fc.double({ noNaN: true, noDefaultInfinity: true }), (label, value) => {
        const text = expose([{ name: 'a', help: 'a', type: 'gauge', samples: [{ labels: { l: label }, value }] }]);
        expect(text.endsWith('\n')).toBe(true);
        for (const line of text.slice(0, -1).split('\n')) expect(line).toMatch(LINE);
      }),
    );
  });
});

describe('a view of a process', () => {
  it('has every key, also of one that does not exist', async () => {
    await using test = await openTestKernel();
    expect(await test.mine.observe.process(99)).toEqual({
      process: undefined,
      grants: undefined,
      ledger: [],
      mailbox: { exists: false, capacity: 0, pending: 0, subscriptions: [] },
      queue: { queued: 0, dispatched: 0, completed: 0, expired: 0, cancelled: 0, dead: 0 },
      files: { count: 0, bytes: 0 },
      names: [],
      recentEvents: [],
    });
  });

  it('shows what the process holds', async () => {
    await using test = await openTestKernel();
    const { mine } = test;
    const { pid } = await mine.processes.create({ name: 'a', template: 't' });
    await mine.grants.create(pid, { tools: ['read'] });
    await mine.ledger.create({ kind: 'process', pid }, { tokens: 10 });
    await mine.mail.createBox(pid, { capacity: 5 });
    await mine.mail.subscribe(pid, 'news');
    await mine.mail.send(undefined, pid, { kind: 'hello' });
    await mine.queue.enqueue({ pid });
    await mine.files.write(pid, { path: '/memory/a' }, Buffer.from('four'));
    await mine.names.register('alice', pid);
    expect(await mine.observe.process(pid)).toMatchObject({
      process: { pid, state: 'READY' },
      grants: { tools: ['read'] },
      ledger: [{ dim: 'tokens', granted: 10 }],
      mailbox: { exists: true, capacity: 5, pending: 1, subscriptions: ['news'] },
      queue: { queued: 1 },
      files: { count: 1, bytes: 4 },
      names: ['alice'],
    });
  });
});

describe('a summary', () => {
  it('counts what there is, and the metrics say the same', async () => {
    await using test = await openTestKernel();
    const { mine } = test;
    const { pid } = await mine.processes.create({ name: 'a', template: 't' });
    await mine.processes.create({ name: 'b', template: 't' });
    await mine.processes.transition(pid, 'RUNNING');
    await mine.ledger.create({ kind: 'process', pid }, { tokens: 1 }, { onBreach: 'deny' });
    await mine.ledger.charge(pid, 'tokens', 5);
    test.clock.advance(1_500);
    const summary = await mine.observe.summary();
    expect(summary).toMatchObject({ uptimeMs: 1_500, processes: { READY: 1, RUNNING: 1 }, ledger: { budgeted: 1, breached: 1 } });
    expect(summary.events.count).toBe(summary.events.lastId);
    const text = await test.kernel.metrics();
    expect(text).toContain('cheetahclaws_kernel_agents{state="RUNNING"} 1\n');
    expect(text).toContain('cheetahclaws_kernel_ledger_breached 1\n');
    expect(text).toContain('cheetahclaws_kernel_uptime_seconds 1.5\n');
    for (const line of text.slice(0, -1).split('\n')) expect(line).toMatch(LINE);
    expect(text.match(/^# TYPE/gm)).toHaveLength(10);
  });
});

import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test, vi } from 'vitest';
import { NO_FACTS } from '../policy/policy.ts';
import type { Permit, Permits } from './permits.ts';
import { openTestGate, type TestGate } from './test-support/open-test-gate.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

const ASKED = { capability: 'web.get', input: { host: 'a.test' } } as const;
const GRANTS = { tools: ['*'], hosts: ['a.test:443'] } as const;

type Opened = TestGate & { readonly permits: Permits; readonly pid: number; readonly onChange: ReturnType<typeof vi.fn<() => void>> };

async function open(): Promise<Opened> {
  const t = await openTestGate();
  t.capabilities.define('web.get', { facts: (input) => ({ ...NO_FACTS, hosts: [{ host: String(input['host']), port: 443 }] }) });
  const pid = await t.start({ grants: GRANTS });
  const onChange = vi.fn<() => void>();
  return Object.assign(t, { permits: t.gate.permits(DEFAULT_WORKSPACE, pid, onChange), pid, onChange });
}

const reasonOf = (permit: Permit): string => (permit.kind === 'refused' ? permit.reason : permit.kind);

describe('a request of a command', () => {
  test('is decided at once when what matters is known, and anew when that changes', async () => {
    await using t = await open();
    expect(await t.permits.decide(ASKED)).toEqual({ kind: 'allowed', tier: 'autonomous' });
    expect(t.permits.decide(ASKED)).toEqual({ kind: 'allowed', tier: 'autonomous' }); // No promise.
    expect(t.onChange).not.toHaveBeenCalled();
    await t.test.mine.grants.narrow(t.pid, { tools: ['*'] });
    expect(t.onChange).toHaveBeenCalled();
    const refused = await t.permits.decide(ASKED);
    expect(refused).toMatchObject({ kind: 'refused', reason: 'grant', message: expect.stringContaining('a.test:443') });
    t.permits[Symbol.dispose]();
  });

  test.each([
    ['another host', { capability: 'web.get', input: { host: 'b.test' } }, 'grant'],
    ['no host', { capability: 'quiet.get', input: {} }, 'grant'],
    ['a capability that there is not', { capability: 'x.y', input: {} }, 'policy'],
  ])('to %s is refused', async (_name, question, reason) => {
    await using t = await open();
    t.capabilities.define('quiet.get');
    expect(reasonOf(await t.permits.decide(question))).toBe(reason);
  });

  test('is refused while the process is suspended, its agent paused, and when it has ended', async () => {
    await using t = await open();
    await t.test.mine.processes.pauseAgent('ada');
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('stopped');
    await t.test.mine.processes.resumeAgent('ada');
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('allowed');
    await t.test.mine.processes.end(t.pid, 'completed', { reason: 'done' });
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('stopped');
  });

  test('is refused when a budget is spent, also one of the workspace', async () => {
    await using t = await open();
    await t.test.mine.ledger.create({ kind: 'workspace' }, { net_bytes: 10 });
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('allowed');
    await t.test.mine.ledger.record(t.pid, { net_bytes: 11 });
    expect(['budget', 'stopped']).toContain(reasonOf(await t.permits.decide(ASKED))); // A breach may suspend the process as well.
  });

  test('asks nobody: what people would have to approve is refused', async () => {
    await using t = await open();
    t.policy = createTestPolicy({ 'web.get': { tier: 'approval_required' } });
    expect(await t.permits.decide(ASKED)).toMatchObject({
      kind: 'refused',
      reason: 'approval',
      message: expect.stringContaining('call web.get instead'),
    });
    expect(await t.test.mine.approvals.list({})).toMatchObject({ approvals: [] });
    t.policy = createTestPolicy({ 'web.get': { tier: 'blocked' } });
    expect(await t.permits.decide(ASKED)).toMatchObject({
      kind: 'refused',
      reason: 'policy',
      message: expect.stringContaining('for the test'),
    });
  });

  test('counts where a rule does, and does not when it only goes on', async () => {
    await using t = await open();
    t.policy = createTestPolicy({ 'web.get': { tier: 'notify', limit: { max: 2, perMs: 3_600_000 } } });
    for (let time = 0; time < 3; time++) expect(reasonOf(await t.permits.decide({ ...ASKED, isRenewal: true }))).toBe('allowed');
    expect([reasonOf(await t.permits.decide(ASKED)), reasonOf(await t.permits.decide(ASKED))]).toEqual(['allowed', 'allowed']);
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('policy');
    expect(reasonOf(await t.permits.decide({ ...ASKED, isRenewal: true }))).toBe('allowed');
  });

  test('carries the labels of its process', async () => {
    await using t = await open();
    t.policy = createTestPolicy({ 'web.get': { tier: ({ taint }) => (taint.includes('mail') ? 'blocked' : 'autonomous') } });
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('allowed');
    await t.test.mine.taints.add(t.pid, ['mail']);
    expect(reasonOf(await t.permits.decide(ASKED))).toBe('policy');
  });
});

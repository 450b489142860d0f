import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

describe('alerts', () => {
  it('are sent, listed newest first, read and acknowledged once, and told of without their text', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const first = await mine.alerts.send({
      message: 'disk\n\tis full',
      severity: 'critical',
      agent: 'alice',
      pid: 1,
      context: JSON.parse('{"__proto__":1}'),
    });
    clock.advance(1);
    const second = await mine.alerts.send({ message: 'quiet', severity: 'info' });
    expect(first).toMatchObject({
      id: expect.stringMatching(/^alert_[0-9a-z]{16}$/),
      message: 'disk\n\tis full',
      agent: 'alice',
      pid: 1,
      acknowledgedAt: undefined,
    });
    expect(JSON.stringify(first.context)).toBe('{"__proto__":1}');
    expect(await mine.alerts.list()).toEqual({ alerts: [second, first], pending: 2 });
    expect(await mine.alerts.list({}, { limit: 1 })).toMatchObject({ alerts: [{ id: second.id }] });
    expect(await mine.alerts.list({}, { before: second.id })).toMatchObject({ alerts: [{ id: first.id }] });
    expect(await mine.alerts.list({ agent: 'alice' })).toMatchObject({ alerts: [{ id: first.id }] });
    expect(await Promise.all([1, 2].map(() => mine.alerts.acknowledge(first.id, 'olga')))).toEqual([true, false]);
    expect(await mine.alerts.acknowledge('alert_0000000000000000', 'olga')).toBe(false);
    await under.reopen();
    const { alerts } = under.mine;
    expect(await alerts.get(first.id)).toEqual({ ...first, acknowledgedAt: clock.now(), acknowledgedBy: 'olga' });
    expect(await alerts.list({ status: 'pending' })).toMatchObject({ alerts: [{ id: second.id }], pending: 1 });
    expect(await alerts.list({ status: 'acknowledged' })).toMatchObject({ alerts: [{ id: first.id }], pending: 1 });
    const told = (await under.mine.events.newest({})).map(({ kind, pid, payload }) => [kind, pid, payload]);
    expect(told).toEqual([
      ['kernel.alert.sent', 1, { alert_id: first.id, agent: 'alice', severity: 'critical' }],
      ['kernel.alert.sent', undefined, { alert_id: second.id, agent: '', severity: 'info' }],
      ['kernel.alert.acknowledged', 1, { alert_id: first.id, by: 'olga' }],
    ]);
  });

  it('of one workspace are not there for another', async () => {
    await using under = await openTestKernel();
    const other = under.kernel.workspace((await under.kernel.workspaces.create('other' as WorkspaceId)).id); // Valid.
    const { id } = await under.mine.alerts.send({ message: 'm', severity: 'info' });
    expect(await other.alerts.list()).toEqual({ alerts: [], pending: 0 });
    expect(await other.alerts.acknowledge(id, 'eve')).toBe(false);
    await expect(other.alerts.get(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('refuse what is none, and keep nothing of it', async () => {
    await using under = await openTestKernel();
    const { alerts } = under.mine;
    const any = (value: unknown) => value as never; // Hostile.
    const good = { message: 'm', severity: 'info' } as const;
    const ended = await Promise.allSettled([
      ...['', '\u001b[2J', 'a\u0000', '\u009b31m', 'a\r', '\ud800', any(7), any(undefined)].map((message) =>
        alerts.send({ ...good, message }),
      ),
      ...['', 'fatal', '__proto__', any(7)].map((severity) => alerts.send({ ...good, severity: any(severity) })),
      alerts.send({ ...good, agent: 'a\n' }),
      ...[0, -1, 0.5, any('1')].map((pid) => alerts.send({ ...good, pid })),
      alerts.list({ status: any('__proto__') }),
      alerts.acknowledge('x', ''),
      alerts.send({ ...good, context: any([]) }),
      alerts.send({ ...good, context: JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) }),
      alerts.send({ ...good, message: 'x'.repeat(4_097) }),
      alerts.send({ ...good, context: { a: 'x'.repeat(1_048_576) } }),
    ]);
    const codes = ended.map((each) => (each.status === 'rejected' ? each.reason.code : 'done'));
    expect(codes).toEqual([...Array(19).fill('invalid_argument'), 'invalid_payload', 'invalid_payload', 'too_large', 'too_large']);
    expect(await alerts.list()).toEqual({ alerts: [], pending: 0 });
    expect((await alerts.send({ ...good, message: '\u{1f600}'.repeat(4_096) })).severity).toBe('info');
  });

  it('of agents are refused when too many wait, and what Warren itself has to say still gets through', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { alerts } = under.mine;
    await under.kernel.store.workspace(DEFAULT_WORKSPACE).write((transaction) => {
      for (let index = 0; index < 9_999; index++) {
        transaction.alerts.insert({ id: `a${index}`, agent: 'eve', pid: 1, message: 'm', severity: 'critical', context: {}, createdAt: index, acknowledgedAt: undefined, acknowledgedBy: undefined }); // biome-ignore format: one line
      }
    });
    const send = (agent: string, pid?: number) => alerts.send({ message: 'm', severity: 'info', agent, pid });
    await send('eve');
    await expect(send('eve')).rejects.toMatchObject({ code: 'busy' });
    await expect(send('', 1)).rejects.toMatchObject({ code: 'busy' });
    await send('');
    await alerts.acknowledge('a0', 'olga');
    await alerts.acknowledge('a1', 'olga');
    await send('eve');
  });
});

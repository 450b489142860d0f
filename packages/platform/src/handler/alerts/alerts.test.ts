/** Alerts of agents: their own and no others. */
import type { WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { HandlerHost } from '../test-support/handler-host.ts';
import { createAlertHandlers } from './create-alert-handlers.ts';

const open = () => HandlerHost.open(createAlertHandlers);

describe('an alert', () => {
  it('is seen by its agent alone, newest first', async () => {
    await using host = await open();
    const { id } = await host.kernel.workspaces.create('acme' as WorkspaceId);
    const [ada, bob, twin, nobody] = [await host.start('ada'), await host.start('bob'), await host.start('ada', id), await host.start('')];
    await host.mine().alerts.send({ message: 'of Warren', severity: 'info' });
    for (const message of ['one', 'two']) {
      host.time += 1;
      await host.call(ada, 'alerts.send', { message, context: { constructor: 1 } });
    }
    expect(await host.call(ada, 'alerts.list')).toMatchObject({
      total: 2,
      alerts: [{ message: 'two' }, { message: 'one', status: 'pending' }],
    });
    for (const stranger of [bob, twin, nobody]) expect(await host.call(stranger, 'alerts.list')).toEqual({ alerts: [], total: 0 });
    await host.call(nobody, 'alerts.send', { message: 'mine' });
    expect(await host.call(nobody, 'alerts.list', { limit: 1 })).toMatchObject({ total: 1, alerts: [{ message: 'mine' }] });
    expect(await host.call(await host.start(''), 'alerts.list')).toEqual({ alerts: [], total: 0 });
  });

  it('is acknowledged by its agent when it only informs', async () => {
    await using host = await open();
    const [ada, bob, nobody] = [await host.start('ada'), await host.start('bob'), await host.start('')];
    const own = await host.mine().alerts.send({ message: 'of Warren', severity: 'info' });
    const ids: Record<string, string> = {};
    for (const severity of ['info', 'warning', 'critical'])
      ids[severity] = String((await host.call(ada, 'alerts.send', { message: 'x', severity }))['alert_id']);
    const acknowledge = { alert_id: String(ids['info']) };
    for (const id of [String(ids['info']), own.id, '../x', '__proto__', 'a\0'])
      for (const stranger of [bob, nobody])
        expect(await host.errorOf(stranger, 'alerts.acknowledge', { alert_id: id })).toBe('AlertNotFound');
    for (const severity of ['warning', 'critical'])
      expect(await host.errorOf(ada, 'alerts.acknowledge', { alert_id: String(ids[severity]) })).toBe('AlertError');
    expect(await host.errorOf(ada, 'alerts.acknowledge', { ...acknowledge, acknowledged_by: 'a\u001b[2Jb' })).toBe('InvalidInput');
    expect(await host.call(ada, 'alerts.acknowledge', { ...acknowledge, acknowledged_by: 'the boss' })).toMatchObject({
      acknowledged: true,
    });
    expect(await host.call(ada, 'alerts.acknowledge', acknowledge)).toMatchObject({ acknowledged: false });
    expect(await host.call(ada, 'alerts.list', { status: 'acknowledged' })).toMatchObject({
      alerts: [{ acknowledged_by: 'ada (the boss)' }],
    });
  });

  it('that would speak to a terminal is refused', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    for (const message of ['a\u001b[2J', 'a\0b', '\ud800'])
      expect(await host.errorOf(ada, 'alerts.send', { message })).toBe('InvalidInput');
    expect(await host.errorOf(ada, 'alerts.send', { message: 'x', context: { a: 'x'.repeat(1_100_000) } })).toBe('InvalidInput');
  });
});

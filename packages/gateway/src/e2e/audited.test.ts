/** What is changed, refused and guessed over the wire is in the audit. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { AuditRecord } from '@warren/protocol/contract';
import { expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

async function entriesOf(on: TestGateway, query: object): Promise<readonly AuditRecord[]> {
  const { result } = await on.call('audit.search', query);
  return (result?.['entries'] ?? []) as readonly AuditRecord[]; // As the contract says.
}

it('what an operator, a member and a process change is recorded before it is done, and with what came of it', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const started = await on.call('agent.start', { agent: 'ada', tool_grants: ['*'] });
  const pid = Number(started.result?.['pid']);
  const own = await on.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'runner', template: 't' });
  const member = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
  await on.call('token.create', { pid, label: 'ci' }, { token: member });
  const process = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid: own.pid });
  await on.call('kernel.agent.create', { name: 'child', template: 't', parent_pid: own.pid }, { token: process });
  const entries = await entriesOf(on, { kind: 'operator' });
  expect(entries.map(({ action, outcome, actor }) => [action, outcome, actor.kind, actor.agent])).toEqual([
    ['agent.start', 'begun', 'operator', null],
    ['agent.start', 'success', 'operator', null],
    ['token.create', 'begun', 'member', null],
    ['token.create', 'success', 'member', null],
    ['kernel.agent.create', 'begun', 'process', ''],
    ['kernel.agent.create', 'denied', 'process', ''],
  ]);
  expect(entries[1]).toMatchObject({ call_id: entries[0]?.call_id, details: { result: { pid } } });
  expect(JSON.stringify(entries)).not.toContain('wrn_');
});

it('what is refused is recorded, also when what was asked for is another workspace', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const { pid } = await on.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'ada', template: 't', agent: 'ada' });
  const process = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
  const member = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
  for (let count = 0; count < 50; count += 1) {
    expect(await on.call('approval.approve', { approval_id: 'approval_x' }, { token: process })).toMatchObject({ error: {} });
    expect(await on.call('workspace.create', { workspace: 'mine' }, { token: member })).toMatchObject({ error: {} });
    expect(await on.call('token.list', {}, { token: member, workspace: 'other' })).toMatchObject({ error: {} });
  }
  const entries = await entriesOf(on, { outcome: 'denied' });
  expect(entries.map(({ action, actor, error }) => [action, actor.kind, error?.type])).toEqual([
    ['approval.approve', 'process', 'permission_denied'],
    ['workspace.create', 'member', 'permission_denied'],
    ['token.list', 'member', 'permission_denied'],
  ]);
});

it('wrong tokens are recorded: the first of each minute and place at once, the rest as a number', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const guess = async (port?: number): Promise<number> => {
    const headers = { authorization: 'Bearer wrn_guess' };
    return (await on.post('{}', { headers, ...(port !== undefined && { port }) })).status;
  };
  for (let count = 0; count < 20; count += 1) expect([401, 429]).toContain(await guess(on.port));
  expect(await guess()).toBe(401);
  const logins = await entriesOf(on, { action: 'login' });
  expect(logins.map(({ outcome, error, details }) => [outcome, error?.type, details?.['from']])).toEqual([
    ['denied', 'unauthenticated', '127.0.0.1'],
    ['denied', 'unauthenticated', 'unix'],
  ]);
  expect(JSON.stringify(logins)).not.toContain('wrn_guess');
  await on.served.close();
  const { entries } = await on.platformAudit().search({ action: 'login', newest: true, limit: 1 });
  expect(entries[0]?.details).toMatchObject({ from: '127.0.0.1', attempts: 19 });
});

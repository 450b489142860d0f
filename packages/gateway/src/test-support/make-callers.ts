/** One of each kind of caller. They are made anew for each question, since a call may end a process or a token. */
import type { Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type MemberRole, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import type { TestGateway } from './open-test-gateway.ts';

/** `pid`: the process it is, or one that it may ask about. */
export type TestCaller = { readonly token: string | undefined; readonly pid: number };

/** A clock that only tests move. */
export type TestClock = { at: number };

/** The agent there is. */
export const AGENT = 'coder';
/** The workspace of those who have no business in the default one. */
export const FOREIGN: WorkspaceId = parseWorkspaceId('elsewhere');

/** Who is nobody, or nobody any more. */
export const UNKNOWN = ['nobody', 'expired', 'revoked', 'of a process that ended', 'wrong token'] as const;
/** Who is somebody elsewhere. */
export const FOREIGNERS = ['admin of another workspace', 'agent of another workspace'] as const;
export const KNOWN = ['process', 'process of an agent', 'agent', 'viewer', 'approver', 'admin', 'operator'] as const;

export type CallerKind = (typeof UNKNOWN)[number] | (typeof FOREIGNERS)[number] | (typeof KNOWN)[number];

/** What all of them need. `on` has to have this clock. */
export async function openForCallers(on: TestGateway): Promise<void> {
  await on.kernel.workspaces.create(FOREIGN);
  for (const workspace of [DEFAULT_WORKSPACE, FOREIGN])
    await on.kernel.workspace(workspace).agents.create(AGENT, { grants: { tools: ['system.*'] } });
}

export async function makeCallers(on: TestGateway, clock: TestClock): Promise<Readonly<Record<CallerKind, TestCaller>>> {
  const { processes } = on.kernel.workspace(DEFAULT_WORKSPACE);
  const processOf = async (agent?: string): Promise<number> => (await processes.create({ name: 'p', template: 't', agent })).pid;
  const [subject, own, ended, ofAgent] = [await processOf(), await processOf(), await processOf(), await processOf(AGENT)];
  const caller = async (principal: Principal, pid = subject): Promise<TestCaller> => ({ token: await on.tokenFor(principal), pid });
  const process = (pid: number): Promise<TestCaller> => caller({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid }, pid);
  const member = (role: MemberRole, workspace = DEFAULT_WORKSPACE): Promise<TestCaller> => caller({ kind: 'member', workspace, role });
  const agent = (workspace: WorkspaceId): Promise<TestCaller> => caller({ kind: 'agent', workspace, agent: AGENT }, ofAgent);
  const expired = await on.kernel.tokens.create({ kind: 'operator' }, { expiresAt: clock.at + 1 });
  const revoked = await on.kernel.tokens.create({ kind: 'operator' });
  await on.kernel.tokens.revoke(revoked.record.id);
  const ofEnded = await process(ended);
  await processes.end(ended, 'completed');
  clock.at += 10;
  return {
    nobody: { token: undefined, pid: subject },
    expired: { token: expired.token, pid: subject },
    revoked: { token: revoked.token, pid: subject },
    'of a process that ended': ofEnded,
    'wrong token': { token: revoked.token.replace(/.{8}$/, 'AAAAAAAA'), pid: subject },
    'admin of another workspace': await member('admin', FOREIGN),
    'agent of another workspace': await agent(FOREIGN),
    viewer: await member('viewer'),
    approver: await member('approver'),
    admin: await member('admin'),
    operator: await caller({ kind: 'operator' }),
    agent: await agent(DEFAULT_WORKSPACE),
    'process of an agent': await process(ofAgent),
    process: await process(own),
  };
}

/** Whether nobody, or nobody any more, stands behind it. */
export function isUnknown(who: string): boolean {
  return (UNKNOWN as readonly string[]).includes(who);
}

export function isForeign(who: string): boolean {
  return (FOREIGNERS as readonly string[]).includes(who);
}

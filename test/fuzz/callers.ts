/** Every kind of caller, made anew: what was tried before may have ended a process or revoked a token. */
import type { Client } from '@warren/client';

export type Caller = { readonly kind: string; readonly authorization: string | undefined };

export const ELSEWHERE = 'elsewhere';

export const CALLERS = [
  ...(['nobody', 'unknown token', 'malformed token', 'revoked token', 'viewer', 'approver', 'admin', 'operator'] as const),
  ...(['admin of another workspace', 'agent', 'process of an agent', 'process'] as const),
] as const;

export type CallerKind = (typeof CALLERS)[number];

/** What they send as `authorization`. */
export async function makeCallers(operator: Client, named: string): Promise<Readonly<Record<CallerKind, string | undefined>>> {
  const workspace = 'default';
  const { token: agent } = await operator.call('agent.create', { agent: named, tool_grants: ['system.*', 'state.*'] });
  const created = (more: { readonly agent?: string }) =>
    operator.call('kernel.agent.create', { name: 'fuzzed', template: 'fuzzed', ...more });
  const [ofAgent, other] = await Promise.all([created({ agent: named }), created({})]);
  const bearer = async (params: Parameters<typeof operator.call<'token.create'>>[1]): Promise<string> =>
    `Bearer ${(await operator.call('token.create', params)).token}`;
  const revoked = await operator.call('token.create', { workspace, role: 'viewer' });
  await operator.call('token.revoke', { token_id: revoked.token_id });
  const [viewer, approver, admin, foreign, processOfAgent, process] = await Promise.all([
    ...(['viewer', 'approver', 'admin'] as const).map((role) => bearer({ workspace, role })),
    bearer({ workspace: ELSEWHERE, role: 'admin' }),
    bearer({ workspace, pid: ofAgent.pid }),
    bearer({ workspace, pid: other.pid }),
  ]);
  const { token } = await operator.call('token.create_operator', {});
  return {
    ...{ nobody: undefined, 'unknown token': 'Bearer wrong', 'malformed token': 'Basic eDp5', 'revoked token': `Bearer ${revoked.token}` },
    ...{ viewer, approver, admin, operator: `Bearer ${token}`, 'admin of another workspace': foreign },
    ...{ agent: `Bearer ${agent.token}`, 'process of an agent': processOfAgent, process },
  };
}

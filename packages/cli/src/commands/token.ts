/** `warren token`: makes, lists and revokes tokens, through the daemon. */
import type { Client } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import type { NewToken, ParamsInput, TokenRecord } from '@warren/protocol/contract';
import { count } from '../internal/count.ts';
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { agentsCommand, nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { StateFlags } from '../program/state-options.ts';
import type { TokenCreateFlags, TokenListFlags } from '../program/token-commands.ts';

/** The token is all of standard output, so that it can be put where it belongs without being seen. */
export async function tokenCreate(flags: TokenCreateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'make a token');
  const described = {
    ...(flags.label !== undefined && { label: flags.label }),
    ...(flags.owner !== undefined && { owner: flags.owner }),
    ...(flags.group !== undefined && { groups: [...flags.group] }),
    ...(flags.expires !== undefined && { expires_at: (host.now() + flags.expires) / 1_000 }),
  };
  const made = await make(client, flags, described);
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(made, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`${made.token}\n`);
  await host.stderr.write(
    `warren: token ${safeText(made.token_id)} for ${holderWord(made.principal)}, ${endWord(made)}; it is not shown again\n`,
  );
  if ([flags.role, flags.agent, flags.pid, flags.operator].every((holder) => holder === undefined)) {
    await host.stderr.write(
      'warren: it may do everything in this workspace; for less: --role viewer or approver, --agent NAME, --pid PID\n',
    );
  }
  return 0;
}

/** Tokens are the daemon's to make: opening the store without it would count as a start. */
async function make(client: Client, flags: TokenCreateFlags, described: ParamsInput<'token.create_operator'>): Promise<NewToken> {
  const { workspace, role, agent, pid } = flags;
  if (flags.operator === true) return await client.call('token.create_operator', described);
  try {
    return await client.call('token.create', { ...described, workspace, role, agent, pid });
  } catch (error) {
    if (!isFault(error, 'unknown_pid')) throw withWorkspaceAdvice(error, flags);
    throw new Fault('unknown_pid', error.message, { details: { ...error.details, fix: agentsCommand(flags) }, cause: error });
  }
}

export async function tokenList(flags: TokenListFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'list tokens');
  const found = await client
    .call('token.list', flags.workspace === undefined ? {} : { workspace: flags.workspace })
    .catch((error: unknown) => {
      throw withWorkspaceAdvice(error, flags);
    });
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  const columns = [
    ...([{ title: 'TOKEN' }, { title: 'ACTS FOR' }, { title: 'OWNER' }, { title: 'GROUPS' }] as const),
    ...([{ title: 'CREATED' }, { title: 'ENDS' }, { title: 'LABEL' }] as const),
  ];
  const rows = found.tokens.map((token) => [
    safeText(token.token_id),
    holderWord(token.principal),
    token.owner === token.token_id ? '' : safeText(token.owner),
    safeText(token.groups.join(' ')),
    dayWord(token.created_at),
    token.revoked_at !== null ? `revoked ${dayWord(token.revoked_at)}` : token.expires_at === null ? 'never' : dayWord(token.expires_at),
    safeText(token.label),
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write(`warren: no tokens; to make one: ${nextCommand('token create', flags)}\n`);
  return 0;
}

/** Returns 1 when one of them was not there to revoke. */
export async function tokenRevoke(ids: readonly string[], flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'revoke tokens');
  const revoked: string[] = [];
  const also: string[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    const { revoked: isRevoked, also_revoked } = await client.call('token.revoke', { token_id: id }).catch((error: unknown) => {
      if (isFault(error, 'not_found')) return { revoked: false, also_revoked: [] };
      throw error;
    });
    if (isRevoked || also.includes(id)) revoked.push(id);
    else missing.push(id);
    also.push(...also_revoked);
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ revoked, also_revoked: also, missing }, 2)}\n`);
  else {
    const others = also.filter((id) => !revoked.includes(id)).length;
    const made = others === 0 ? '' : `, and ${count(others, 'token')} made with ${revoked.length === 1 ? 'it' : 'them'}`;
    if (revoked.length > 0) await host.stdout.write(`${count(revoked.length, 'token')} revoked${made}\n`);
    for (const id of missing) await host.stderr.write(`warren: cannot revoke "${safeText(id)}": there is no such token, or no longer\n`);
    if (missing.length > 0) await host.stderr.write(`  fix: ${nextCommand('token list', flags)}\n`);
  }
  return missing.length === 0 ? 0 : 1;
}

function holderWord(principal: TokenRecord['principal']): string {
  switch (principal.kind) {
    case 'operator':
      return 'operator';
    case 'member':
      return `${principal.role} of workspace ${safeText(principal.workspace)}`;
    case 'agent':
      return `agent ${safeText(principal.agent)} of workspace ${safeText(principal.workspace)}`;
    case 'process':
      return `process ${principal.pid} of workspace ${safeText(principal.workspace)}`;
    default:
      return principal satisfies never;
  }
}

function endWord({ expires_at }: TokenRecord): string {
  return expires_at === null ? 'which never expires' : `until ${dayWord(expires_at)}`;
}

function dayWord(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

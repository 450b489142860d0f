/** `warren agent`: makes, shows, changes and revokes agents as they are kept, through the daemon. */
import type { Client } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { AgentRecord, NewToken, Result } from '@warren/protocol/contract';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import { readBudgets, readPath } from '../internal/grant-flags.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { isoMinute } from '../internal/time.ts';
import type { AgentCreateFlags, AgentTokenFlags, AgentUpdateFlags } from '../program/agent-record-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';
import { findGrants, grantsOf, warningsOf } from './agent.ts';

/** The token is all of standard output, so that it can be put where it belongs without being seen. */
export async function agentCreate(name: string, flags: AgentCreateFlags, host: Host): Promise<number> {
  const grants = grantsOf(flags);
  const budgets = readBudgets(flags.budget ?? []);
  await using client = await openWorkspaceClient(flags, host, 'make an agent');
  const purpose = flags.purpose ?? '';
  const made = await client.call('agent.create', { agent: name, purpose, ...grants, budgets, ...endOf(flags, host) });
  for (const warning of await warningsOf(client, grants, flags)) await host.stderr.write(`warren: ${safeText(warning)}\n`);
  if (flags.tool === undefined) {
    await host.stderr.write('warren: it may call every capability, as policy lets it: no --tool says which\n');
  }
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(made, 2)}\n`);
    return 0;
  }
  await sayToken(made.token, name, flags, host);
  return 0;
}

export async function agentShow(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show an agent');
  const agent = await client.call('agent.get', { agent: name });
  const { agents } = await client.call('agent.list', {});
  const run = agents.find((each) => each.agent === name);
  const tokens = await tokensOf(client, name);
  const live = run?.pid == null ? undefined : await findGrants(client, run.pid);
  if (flags.json === true) {
    await host.stdout.write(
      `${safeJson({ ...agent, pid: run?.pid ?? null, process_state: run?.state ?? null, process_grants: live ?? null, tokens }, 2)}\n`,
    );
    return 0;
  }
  const lines = describe(agent, { run, live }, tokens.length);
  const width = Math.max(...lines.map(([title]) => title.length));
  await host.stdout.write(lines.map(([title, text]) => `${title.padEnd(width)}  ${text}\n`).join(''));
  return 0;
}

export async function agentUpdate(name: string, flags: AgentUpdateFlags, host: Host): Promise<number> {
  const { purpose, tool, path, host: hosts, model, subAgents, budget } = flags;
  const changes = {
    ...(purpose !== undefined && { purpose }),
    ...(tool !== undefined && { tool_grants: [...tool] }),
    ...(path !== undefined && { fs_grants: path.map(readPath) }),
    ...(hosts !== undefined && { net_grants: [...hosts] }),
    ...(model !== undefined && { model_grants: [...model] }),
    ...(subAgents !== undefined && { sub_agent: subAgents }),
    ...(budget !== undefined && { budgets: readBudgets(budget) }),
  };
  if (Object.keys(changes).length === 0) {
    throw new Fault(
      'invalid_argument',
      'Cannot change an agent: nothing to change is given; `warren agent update --help` lists what there is',
    );
  }
  await using client = await openWorkspaceClient(flags, host, 'change an agent');
  const agent = await client.call('agent.update', { agent: name, ...changes });
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(agent, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`Agent ${safeText(name)} is changed for the processes it begins from now on.\n`);
  const { agents } = await client.call('agent.list', {});
  if (agents.some((each) => each.agent === name && each.pid !== null)) {
    await host.stderr.write(`  its process keeps what it has; to begin anew: ${nextCommand(`agent stop ${name}`, flags)}\n`);
  }
  return 0;
}

export async function agentRotateToken(name: string, flags: AgentTokenFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'make a new token');
  return await tellToken(await client.call('agent.rotate_token', { agent: name, ...endOf(flags, host) }), name, flags, host);
}

export async function agentRestore(name: string, flags: AgentTokenFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'restore an agent');
  return await tellToken(await client.call('agent.restore', { agent: name, ...endOf(flags, host) }), name, flags, host);
}

export async function agentRevoke(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'revoke an agent');
  const answer = await client.call('agent.revoke', { agent: name });
  if (flags.json === true) await host.stdout.write(`${safeJson(answer, 2)}\n`);
  else {
    await host.stdout.write(
      answer.changed
        ? `Agent ${safeText(name)} is revoked: its tokens are worthless and its processes have ended.\n`
        : `Agent ${safeText(name)} was revoked already.\n`,
    );
    await host.stderr.write(`  take it back: ${nextCommand(`agent restore ${name}`, flags)}\n`);
  }
  return 0;
}

export async function agentDelete(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'delete an agent');
  const answer = await client.call('agent.delete', { agent: name });
  if (flags.json === true) await host.stdout.write(`${safeJson(answer, 2)}\n`);
  else await host.stdout.write(`Agent ${safeText(name)} is deleted. What it did stays in the records.\n`);
  return 0;
}

function endOf({ expires }: AgentTokenFlags, host: Host): { readonly expires_at?: number } {
  return expires === undefined ? {} : { expires_at: (host.now() + expires) / 1_000 };
}

async function tellToken(made: NewToken, name: string, flags: AgentTokenFlags, host: Host): Promise<number> {
  if (flags.json === true) await host.stdout.write(`${safeJson(made, 2)}\n`);
  else await sayToken(made, name, flags, host);
  return 0;
}

async function sayToken({ token, token_id }: NewToken, name: string, flags: WorkspaceFlags, host: Host): Promise<void> {
  await host.stdout.write(`${token}\n`);
  await host.stderr.write(`warren: token ${safeText(token_id)} of agent ${safeText(name)}; it is not shown again\n`);
  await host.stderr.write(`  connect a program on this machine, without the token: ${nextCommand(`agent connect ${name}`, flags)}\n`);
}

async function tokensOf(client: Client, name: string): Promise<readonly Result<'token.list'>['tokens'][number][]> {
  const { tokens } = await client.call('token.list', {});
  return tokens.filter(({ principal, revoked_at }) => principal.kind === 'agent' && principal.agent === name && revoked_at === null);
}

type Grants = Pick<AgentRecord, 'tool_grants' | 'fs_grants' | 'net_grants' | 'model_grants' | 'sub_agent'>;
type Acting = { readonly run: Result<'agent.list'>['agents'][number] | undefined; readonly live: Grants | undefined };

function describe(agent: AgentRecord, { run, live }: Acting, tokens: number): readonly (readonly [title: string, text: string])[] {
  /** What it is kept with and, where its process has something else, that. */
  const both = (text: (grants: Grants) => string): string => {
    const [kept, has] = [text(agent), live === undefined ? text(agent) : text(live)];
    return kept === has ? kept : `${kept} (process ${run?.pid} has: ${has})`;
  };
  const or = (texts: readonly string[]): string => (texts.length === 0 ? '-' : safeText(texts.toSorted().join(' ')));
  return [
    ['Agent', safeText(agent.agent)],
    ['Purpose', agent.purpose === '' ? '-' : safeText(agent.purpose)],
    ['State', `${agent.state}${agent.paused ? ', paused' : ''}`],
    ['Process', run?.pid == null ? '-' : `${run.pid} (${run.state})`],
    ['Tools', both(({ tool_grants }) => or(tool_grants))],
    ['Paths', both(({ fs_grants }) => or(fs_grants.map(({ prefix, mode }) => `${prefix}:${mode}`)))],
    ['Hosts', both(({ net_grants }) => or(net_grants))],
    ['Models', both(({ model_grants }) => or(model_grants))],
    ['Sub-agents', both(({ sub_agent }) => (sub_agent ? 'yes' : 'no'))],
    ['Budgets', or(Object.entries(agent.budgets).map(([dimension, amount]) => `${dimension}=${amount}`))],
    ['Tokens', `${tokens}`],
    ['Created', isoMinute(agent.created_at)],
    ['Changed', isoMinute(agent.updated_at)],
  ];
}

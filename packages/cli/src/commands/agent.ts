/** `warren agent`: starts, lists, pauses and stops agents, through the daemon. */
import type { Client } from '@warren/client';
import { isFault } from '@warren/protocol';
import type { Result } from '@warren/protocol/contract';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import { beyondWorkspace, matchingNone, type PathFlag, readBudgets, readPath } from '../internal/grant-flags.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { isoMinute } from '../internal/time.ts';
import type { AgentStartFlags } from '../program/agent-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

/** Of a workspace, and to be typed as it is. */
const PLAIN_PLACE = /^\/workspace(?:\/[\w./-]*)?$/;

/** Of an agent that is kept, what it is kept with, unless something else is asked for. */
export async function agentStart(name: string, flags: AgentStartFlags, host: Host): Promise<number> {
  const grants = grantsOf(flags);
  const place = grants.fs_grants.map(({ prefix }) => prefix).find((prefix) => PLAIN_PLACE.test(prefix));
  const budgets = readBudgets(flags.budget ?? []);
  await using client = await openWorkspaceClient(flags, host, 'start an agent');
  const isKept = !isGranting(flags) && (await isKeptAgent(client, name));
  const run = await client.call('agent.start', isKept ? { agent: name } : { agent: name, ...grants, budgets });
  for (const warning of await warningsOf(client, grants)) await host.stderr.write(`warren: ${safeText(warning)}\n`);
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(run, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`Agent ${safeText(name)} runs as process ${run.pid}.\n`);
  const lists = grants.tool_grants.some((pattern) => ['*', 'filesystem.*', 'filesystem.list'].includes(pattern));
  const next = lists && place !== undefined ? `call filesystem.list path=${place} --as ${name}` : `capability list --as ${name}`;
  await host.stderr.write(`  let it act: ${nextCommand(next, flags.state)}\n`);
  return 0;
}

/** Everything below `/workspace` where nothing is said. */
export function grantsOf(flags: AgentStartFlags) {
  return {
    tool_grants: [...(flags.tool ?? ['*'])],
    fs_grants: (flags.path ?? ['/workspace:rw']).map(readPath),
    net_grants: [...(flags.host ?? [])],
    model_grants: [...(flags.model ?? [])],
    sub_agent: flags.subAgents === true,
  };
}

function isGranting({ tool, path, host, model, subAgents, budget }: AgentStartFlags): boolean {
  return [tool, path, host, model, subAgents, budget].some((each) => each !== undefined);
}

async function isKeptAgent(client: Client, name: string): Promise<boolean> {
  try {
    await client.call('agent.get', { agent: name });
    return true;
  } catch (error) {
    if (isFault(error, 'not_found')) return false;
    throw error;
  }
}

/** Of grants that can be given and are of no use; a pack may still come for a pattern. */
export async function warningsOf(
  client: Client,
  { tool_grants, fs_grants }: { readonly tool_grants: readonly string[]; readonly fs_grants: readonly PathFlag[] },
): Promise<readonly string[]> {
  const isAll = tool_grants.every((pattern) => pattern === '*');
  const names = isAll ? [] : (await client.call('capability.list', {})).capabilities.map(({ name }) => name);
  return [
    ...matchingNone(tool_grants, names).map((pattern) => `--tool ${pattern} is the name of no capability now: \`warren capability list\``),
    ...beyondWorkspace(fs_grants).map((path) => `--path ${path} holds no files of an agent: they are below /workspace`),
  ];
}

export async function agentList(flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list agents');
  const found = await client.call('agent.list', {});
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  if (found.agents.length === 0) {
    await host.stderr.write(`warren: no agents; ${nextCommand('agent create NAME', flags.state)} makes one\n`);
    return 0;
  }
  const columns = [
    ...([{ title: 'AGENT' }, { title: 'STATE' }, { title: 'PID', align: 'right' }, { title: 'SINCE' }, { title: 'PURPOSE' }] as const),
  ];
  const rows = found.agents.map((agent) => [
    ...[safeText(agent.agent), stateWord(agent), agent.pid === null ? '' : `${agent.pid}`, isoMinute(agent.created_at)],
    safeText(agent.purpose.split('\n')[0] ?? ''),
  ]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

function stateWord({ revoked, paused, state }: Result<'agent.list'>['agents'][number]): string {
  if (revoked) return 'revoked';
  const word = state ?? 'idle';
  return paused ? `${word}, paused` : word;
}

export async function agentPause(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'pause an agent');
  const paused = await client.call('agent.pause', { agent: name });
  if (flags.json === true) await host.stdout.write(`${safeJson(paused, 2)}\n`);
  else await host.stdout.write(`Agent ${safeText(name)} ${paused.changed ? 'is' : 'was already'} paused.\n`);
  await host.stderr.write(`  let it go on: ${nextCommand(`agent resume ${name}`, flags.state)}\n`);
  return 0;
}

export async function agentResume(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'resume an agent');
  const resumed = await client.call('agent.resume', { agent: name });
  if (flags.json === true) await host.stdout.write(`${safeJson(resumed, 2)}\n`);
  else await host.stdout.write(`Agent ${safeText(name)} ${resumed.changed ? 'goes on' : 'was not paused'}.\n`);
  return 0;
}

export async function agentStop(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'stop an agent');
  const { pid } = await client.call('agent.find', { agent: name });
  const ended = await client.call('kernel.agent.terminate', { pid, exit_kind: 'cancelled' });
  if (flags.json === true) await host.stdout.write(`${safeJson({ agent: name, ...ended }, 2)}\n`);
  else await host.stdout.write(`Agent ${safeText(name)}: process ${pid} has ended.\n`);
  return 0;
}

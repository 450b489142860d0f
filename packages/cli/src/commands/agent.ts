/** `warren agent`: starts, lists, pauses and stops agents, through the daemon. */
import type { Client } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
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

const LIVE_STATES = ['READY', 'RUNNING', 'WAITING', 'SUSPENDED'] as const;
const PAGE = 100;
/** Of a workspace, and to be typed as it is. */
const PLAIN_PLACE = /^\/workspace(?:\/[\w./-]*)?$/;

/** With what it is kept, unless something else is asked for. A name that nobody made may be a mistake: it is not given anything by default. */
export async function agentStart(name: string, flags: AgentStartFlags, host: Host): Promise<number> {
  const asked = isGranting(flags) ? { ...grantsOf(flags), budgets: readBudgets(flags.budget ?? []) } : undefined;
  await using client = await openWorkspaceClient(flags, host, 'start an agent');
  const live = await findProcess(client, name);
  if (live !== undefined && asked !== undefined) throw runsAlready(name, live.pid, flags);
  if (live === undefined && asked === undefined) await requireMade(client, name, flags);
  const run = live ?? (await client.call('agent.start', { agent: name, ...asked }));
  for (const warning of asked === undefined ? [] : await warningsOf(client, asked, flags)) {
    await host.stderr.write(`warren: ${safeText(warning)}\n`);
  }
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(run, 2)}\n`);
    return 0;
  }
  const word = live === undefined ? 'runs' : 'runs already,';
  await host.stdout.write(`Agent ${safeText(name)} ${word} as process ${run.pid}.\n`);
  await host.stderr.write(`  let it act: ${nextCommand(await firstCall(client, run), flags)}\n`);
  return 0;
}

/** A call that it was granted, as far as one can tell. */
async function firstCall(client: Client, { agent, pid }: { readonly agent: string; readonly pid: number }): Promise<string> {
  const granted = await findGrants(client, pid);
  const place = granted?.fs_grants.map(({ prefix }) => prefix).find((prefix) => PLAIN_PLACE.test(prefix));
  const lists = granted?.tool_grants.some((pattern) => ['*', 'filesystem.*', 'filesystem.list'].includes(pattern)) === true;
  return lists && place !== undefined ? `call filesystem.list path=${place} --as ${agent}` : `capability list --as ${agent}`;
}

/** Of a process that was never granted anything, undefined. */
export async function findGrants(client: Client, pid: number): Promise<Result<'kernel.cap.get'> | undefined> {
  try {
    return await client.call('kernel.cap.get', { pid });
  } catch (error) {
    if (isFault(error, 'grant_not_found')) return undefined;
    throw error;
  }
}

async function findProcess(client: Client, name: string): Promise<Result<'agent.find'> | undefined> {
  try {
    return await client.call('agent.find', { agent: name });
  } catch (error) {
    if (isFault(error, 'not_found') && error.details?.['agent'] !== undefined) return undefined;
    throw error;
  }
}

function runsAlready(name: string, pid: number, flags: AgentStartFlags): Fault {
  return new Fault('conflict', `Cannot start agent ${name} with these grants: it runs already, as process ${pid}, with its own`, {
    details: { agent: name, pid, fix: nextCommand(`agent stop ${name}`, flags) },
  });
}

async function requireMade(client: Client, name: string, flags: AgentStartFlags): Promise<void> {
  if (await isKeptAgent(client, name)) return;
  throw new Fault('not_found', `Cannot start agent ${JSON.stringify(name)}: there is no agent of this name`, {
    details: { agent: name, fix: nextCommand(`agent create ${name} --tool PATTERN --path /workspace:rw`, flags) },
  });
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
  flags: WorkspaceFlags,
): Promise<readonly string[]> {
  const list = nextCommand('capability list', flags);
  const isAll = tool_grants.every((pattern) => pattern === '*');
  const names = isAll ? [] : (await client.call('capability.list', {})).capabilities.map(({ name }) => name);
  return [
    ...matchingNone(tool_grants, names).map((pattern) => `--tool ${pattern} is the name of no capability now: \`${list}\``),
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
    await host.stderr.write(`warren: no agents; ${nextCommand('agent create NAME', flags)} makes one\n`);
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
  await host.stderr.write(`  let it go on: ${nextCommand(`agent resume ${name}`, flags)}\n`);
  return 0;
}

export async function agentResume(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'resume an agent');
  const resumed = await client.call('agent.resume', { agent: name });
  if (flags.json === true) await host.stdout.write(`${safeJson(resumed, 2)}\n`);
  else await host.stdout.write(`Agent ${safeText(name)} ${resumed.changed ? 'goes on' : 'was not paused'}.\n`);
  return 0;
}

/** All its processes: whoever wants it stopped means the agent. */
export async function agentStop(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'stop an agent');
  const pids = await livePids(client, name);
  // Says which: there is none of this name, or it is idle.
  if (pids.length === 0)
    await client.call('agent.find', { agent: name }).catch((error: unknown) => {
      throw nothingToStop(name, flags, error);
    });
  const ended: Result<'kernel.agent.terminate'>[] = [];
  for (const pid of pids) {
    try {
      ended.push(await client.call('kernel.agent.terminate', { pid, exit_kind: 'cancelled' }));
    } catch (error) {
      // Its parent took it along, or it came to its own end.
      if (!isFault(error, 'illegal_transition')) throw error;
    }
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ agent: name, ...ended[0], ended: pids }, 2)}\n`);
  else {
    const what = pids.length === 1 ? `process ${pids[0]} has` : `processes ${pids.join(', ')} have`;
    await host.stdout.write(`Agent ${safeText(name)}: ${what} ended.\n`);
  }
  return 0;
}

function nothingToStop(name: string, flags: WorkspaceFlags, error: unknown): unknown {
  if (!isFault(error, 'not_found') || error.details?.['idle'] !== true) return error;
  const message = `Cannot stop agent ${JSON.stringify(name)}: it is idle, and has no live process`;
  const fix = `nothing to do; so that it does not begin again: ${nextCommand(`agent pause ${name}`, flags)}`;
  return new Fault('not_found', message, { details: { ...error.details, fix }, cause: error });
}

/** The newest first. */
async function livePids(client: Client, agent: string): Promise<readonly number[]> {
  const pids: number[] = [];
  for (const state of LIVE_STATES) {
    for (let offset = 0; ; offset += PAGE) {
      const { agents } = await client.call('kernel.agent.list', { agent, state, limit: PAGE, offset });
      pids.push(...agents.map(({ pid }) => pid));
      if (agents.length < PAGE) break;
    }
  }
  return [...new Set(pids)].toSorted((one, other) => other - one);
}

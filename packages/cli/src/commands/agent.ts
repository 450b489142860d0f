/** `warren agent`: starts, lists and stops agents, through the daemon. */
import { Fault } from '@warren/protocol';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { isoMinute } from '../internal/time.ts';
import type { AgentStartFlags } from '../program/agent-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

export async function agentStart(name: string, flags: AgentStartFlags, host: Host): Promise<number> {
  const grants = {
    tool_grants: [...(flags.tool ?? ['*'])],
    fs_grants: (flags.path ?? ['/workspace:rw']).map(readPath),
    net_grants: [...(flags.host ?? [])],
    model_grants: [...(flags.model ?? [])],
    sub_agent: flags.subAgents === true,
  };
  await using client = await openWorkspaceClient(flags, host, 'start an agent');
  const budgets = Object.fromEntries((flags.budget ?? []).map(readBudget));
  const run = await client.call('agent.start', { agent: name, ...grants, budgets });
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(run, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`Agent ${safeText(name)} runs as process ${run.pid}.\n`);
  await host.stderr.write(`  let it act: ${nextCommand(`call filesystem.list path=/workspace --as ${name}`, flags.state)}\n`);
  return 0;
}

export async function agentList(flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list agents');
  const found = await client.call('agent.list', {});
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  if (found.agents.length === 0) {
    await host.stderr.write(`warren: no agents; ${nextCommand('agent start NAME', flags.state)} starts one\n`);
    return 0;
  }
  const columns = [{ title: 'AGENT' }, { title: 'PID', align: 'right' }, { title: 'STATE' }, { title: 'SINCE' }] as const;
  const rows = found.agents.map(({ agent, pid, state, created_at }) => [safeText(agent), `${pid}`, state, isoMinute(created_at)]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
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

/** `/workspace/src:r`; `rw` when nothing is said. */
function readPath(text: string): { readonly prefix: string; readonly mode: 'r' | 'rw' } {
  const [, prefix = text, mode = 'rw'] = /^(.*):(rw?)$/.exec(text) ?? [];
  return { prefix, mode: mode === 'r' ? 'r' : 'rw' };
}

function readBudget(text: string): readonly [string, number] {
  const [, dimension, amount] = /^([a-z0-9_.]{1,64})=(\d{1,15})$/.exec(text) ?? [];
  if (dimension === undefined)
    throw new Fault('invalid_argument', `Cannot use --budget ${JSON.stringify(text)}: give dimension=amount, as tool_calls=1000`);
  return [dimension, Number(amount)];
}

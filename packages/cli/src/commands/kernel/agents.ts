/** Processes: what there are, and with `--follow` what becomes of them. */
import type { AgentProcess } from '@warren/protocol/contract';
import { painter } from '../../internal/color.ts';
import { StreamedTable } from '../../internal/table.ts';
import type { AgentsFlags } from '../../program/kernel-commands.ts';
import { followChanges } from './follow-changes.ts';
import { type KernelContext, printJson, printJsonLine, widthOf } from './kernel-context.ts';
import { processRow, STATE_COLORS } from './process-rows.ts';
import { tellTotal } from './tell-total.ts';

export async function agents(flags: AgentsFlags, context: KernelContext): Promise<number> {
  const { operations, host } = context;
  const { inState, limit, json, follow } = flags;
  const paint = painter(host, host.stdout);
  let shown: readonly AgentProcess[] = [];
  const table = new StreamedTable(
    [
      { title: 'PID', align: 'right' },
      { title: 'PARENT', align: 'right' },
      { title: 'STATE', paint: (cell, row) => paint(STATE_COLORS[shown[row]?.state ?? 'DEAD'], cell) },
      { title: 'EXIT' },
      { title: 'NAME' },
      { title: 'TEMPLATE' },
    ],
    widthOf(host),
  );
  const print = async (processes: readonly AgentProcess[]): Promise<void> => {
    shown = processes;
    await host.stdout.write(table.format(processes.map(processRow)));
  };
  const list = (): Promise<{ readonly agents: readonly AgentProcess[]; readonly total: number }> =>
    operations.call('kernel.agent.list', { limit, ...(inState !== undefined && { state: inState }) });

  if (follow !== true) {
    const found = await list();
    if (json === true) return await printJson(host, found);
    if (found.agents.length > 0) await print(found.agents);
    await tellTotal(host, found.agents.length, found.total, 'processes');
    return 0;
  }
  return await followChanges(context, {
    begin: async () => {
      const found = await list();
      if (json !== true) await print(found.agents);
      else for (const one of found.agents) await printJsonLine(host, one);
    },
    show: async ({ kind, pid }) => {
      if (pid === null || !kind.startsWith('kernel.process.')) return;
      const one = await operations.call('kernel.agent.get', { pid });
      if (inState !== undefined && one.state !== inState) return;
      if (json === true) await printJsonLine(host, one);
      else await print([one]);
    },
  });
}

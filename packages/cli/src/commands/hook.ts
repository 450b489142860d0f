/** `warren hook`: what happens at points of agents' lives, and what one of them would do. */
import type { HookRecord } from '@warren/protocol/contract';
import { readCallInput } from '../internal/call-input.ts';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { HookTestFlags } from '../program/hook-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

export async function hookList(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'list hooks');
  const found = await client.call('hook.list', {});
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  const columns = [{ title: 'HOOK' }, { title: 'AT' }, { title: 'PRIORITY' }, { title: 'OF' }, { title: 'DOES' }] as const;
  const rows = found.hooks.map((hook) => [safeText(hook.name), hook.on.join(' '), `${hook.priority}`, ofWhat(hook), safeText(what(hook))]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write('warren: there are no hooks: hooks.yaml in the state directory names them\n');
  return 0;
}

/** Returns 1 when it vetoes or fails. */
export async function hookTest(
  name: string,
  capability: string | undefined,
  fields: readonly string[],
  flags: HookTestFlags,
  host: Host,
): Promise<number> {
  const input = readCallInput(fields, {});
  await using client = await openWorkspaceClient(flags, host, 'try a hook');
  const about = { ...(capability !== undefined && { capability }), ...(flags.as !== undefined && { agent: flags.as }) };
  const { workspace: _, ...place } = flags;
  const trial = await client
    .call('hook.test', { name, input, ...about, ...(flags.at !== undefined && { point: flags.at }) })
    .catch((error: unknown) => {
      throw withWorkspaceAdvice(error, place, 'hook list');
    });
  const code = trial.outcome === 'vetoes' || trial.outcome === 'fails' ? 1 : 0;
  if (flags.json === true) await host.stdout.write(`${safeJson(trial, 2)}\n`);
  else if (trial.outcome === 'nothing') await host.stdout.write('It says nothing: the call would go on as it is.\n');
  else if (trial.outcome === 'changes') await host.stdout.write(`It changes the arguments: ${safeJson(trial.input)}\n`);
  else await host.stdout.write(`It ${trial.outcome}: ${safeText(trial.reason ?? '')}\n`);
  return code;
}

function ofWhat({ workspaces, capabilities }: HookRecord): string {
  return [...(workspaces === null ? [] : [workspaces.join(' ')]), capabilities === null ? 'all' : capabilities.join(' ')]
    .map(safeText)
    .join(': ');
}

function what({ command, webhook }: HookRecord): string {
  return webhook ?? (command ?? []).join(' ');
}

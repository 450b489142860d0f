/** `warren workspace`: makes and lists workspaces. */
import { Fault, isFault, parseWorkspaceId } from '@warren/protocol';
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import type { Operations } from '../internal/operations.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatSize } from '../internal/size.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import type { StateFlags, WorkspaceFlags } from '../program/state-options.ts';
import type { WorkspaceListFlags } from '../program/workspace-commands.ts';

export async function workspaceCreate(id: string, flags: StateFlags, host: Host): Promise<number> {
  parseWorkspaceId(id);
  await using client = await openClient(flags, host, 'make a workspace');
  const made = await client.call('workspace.create', { workspace: id }).catch((error: unknown) => {
    if (!isFault(error, 'already_exists')) throw error;
    const details = { ...error.details, fix: nextCommand('workspace list', flags) };
    throw new Fault('already_exists', error.message, { details, cause: error });
  });
  if (flags.json === true) await host.stdout.write(`${safeJson(made, 2)}\n`);
  else {
    await host.stdout.write(`Workspace ${safeText(made.workspace)} is there.\n`);
    await host.stderr.write(`  a token for it: ${nextCommand(`token create --workspace ${made.workspace}`, flags)}\n`);
  }
  return 0;
}

/** `open` is given a workspace to ask in; the answer is about all of them. */
export async function workspaceList(
  flags: WorkspaceListFlags,
  host: Host,
  open: (flags: WorkspaceFlags) => Promise<Operations>,
): Promise<number> {
  await using operations = await open({ ...flags, workspace: 'default' });
  const found = await operations.call('workspace.list', {});
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  if (flags.names === true) {
    for (const { workspace } of found.workspaces) await host.stdout.write(`${safeText(workspace)}\n`);
    return 0;
  }
  const columns = [
    { title: 'WORKSPACE' },
    { title: 'CREATED' },
    { title: 'WEIGHT', align: 'right' },
    { title: 'RUNNING', align: 'right' },
    { title: 'FILES', align: 'right' },
  ] as const;
  const rows = found.workspaces.map(({ workspace, created_at, settings }) => [
    safeText(workspace),
    new Date(created_at * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z'),
    `${settings.weight}`,
    `≤ ${settings.running_max}`,
    `≤ ${formatSize(settings.file_bytes_max)}`,
  ]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

/** `warren workspace show` and `quota`: what a workspace has, and what it may use. */
import { Fault, parseWorkspaceId } from '@warren/protocol';
import type { AccountEntry, WorkspaceRecord, WorkspaceUsage } from '@warren/protocol/contract';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatSize } from '../internal/size.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { StateFlags } from '../program/state-options.ts';

/** Settings of a workspace; every other name is a dimension of its budget. */
const SETTINGS: ReadonlySet<string> = new Set(['weight', 'running_max', 'file_bytes_max', 'stored_bytes_max']);
const ACCOUNT = { kind: 'workspace' } as const;

export async function workspaceShow(id: string, flags: StateFlags, host: Host): Promise<number> {
  parseWorkspaceId(id);
  await using client = await openWorkspaceClient({ ...flags, workspace: id }, host, 'show a workspace');
  const [record, usage, { entries }] = await Promise.all([
    client.call('workspace.get', {}),
    client.call('workspace.usage', {}),
    client.call('ledger.account.list', { account: ACCOUNT }),
  ]).catch(advised(flags));
  if (flags.json === true) await host.stdout.write(`${safeJson({ ...record, usage, budget: entries }, 2)}\n`);
  else await writeTable([safeText(id), 'HAS', 'MAY'], [...usageRows(record, usage), ...budgetRows(entries)], host);
  return 0;
}

export async function workspaceQuota(id: string, given: readonly string[], flags: StateFlags, host: Host): Promise<number> {
  parseWorkspaceId(id);
  const wanted = given.map(readSetting);
  await using client = await openWorkspaceClient({ ...flags, workspace: id }, host, 'set what a workspace may use');
  const settings = wanted.filter(({ name }) => SETTINGS.has(name));
  if (settings.length > 0) {
    const changes = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
    await client.call('workspace.update', { workspace: id, settings: changes }).catch(advised(flags));
  }
  const before = (await client.call('ledger.account.list', { account: ACCOUNT }).catch(advised(flags))).entries;
  for (const { name: dim, value } of wanted.filter(({ name }) => !SETTINGS.has(name))) {
    if (before.some((entry) => entry.dim === dim)) await client.call('ledger.workspace.update_grant', { dim, new_grant: value });
    else await client.call('ledger.workspace.create', { grants: { [dim]: value } });
  }
  const record = await client.call('workspace.get', {});
  const { entries } = await client.call('ledger.account.list', { account: ACCOUNT });
  if (flags.json === true) await host.stdout.write(`${safeJson({ workspace: id, settings: record.settings, budget: entries }, 2)}\n`);
  else await writeTable(['QUOTA', 'USED', 'MAY'], [...settingRows(record), ...budgetRows(entries)], host);
  return 0;
}

function usageRows({ settings }: WorkspaceRecord, usage: WorkspaceUsage): readonly (readonly string[])[] {
  const sized = ({ count, bytes }: { readonly count: number; readonly bytes: number }): string => `${count}, ${formatSize(bytes)}`;
  return [
    ['agents', `${usage.agents}`, ''],
    ['processes', `${usage.processes}`, `≤ ${settings.running_max} dispatched`],
    ['memories', sized(usage.memories), ''],
    ['sessions', sized(usage.sessions), ''],
    ['secrets', `${usage.secrets}`, ''],
    ['files', sized(usage.files), ''],
    ['stored files', sized(usage.stored_files), `≤ ${formatSize(settings.file_bytes_max)}`],
    ['stored in all', formatSize(usage.stored_bytes), `≤ ${formatSize(settings.stored_bytes_max)}`],
  ];
}

function settingRows({ settings }: WorkspaceRecord): readonly (readonly string[])[] {
  return [
    ['weight', '', `${settings.weight}`],
    ['running_max', '', `≤ ${settings.running_max}`],
    ['file_bytes_max', '', `≤ ${formatSize(settings.file_bytes_max)}`],
    ['stored_bytes_max', '', `≤ ${formatSize(settings.stored_bytes_max)}`],
  ];
}

function budgetRows(entries: readonly AccountEntry[]): readonly (readonly string[])[] {
  return entries.map(({ dim, used, granted }) => [safeText(dim), `${used}`, `≤ ${granted}`]);
}

async function writeTable(titles: readonly string[], rows: readonly (readonly string[])[], host: Host): Promise<void> {
  const columns = titles.map((title) => ({ title }));
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
}

function readSetting(text: string): { readonly name: string; readonly value: number } {
  const [, name, digits] = /^([a-z][a-z0-9_]{0,63})=(\d{1,15}(?:\.\d{1,3})?)$/.exec(text) ?? [];
  if (name !== undefined && digits !== undefined) return { name, value: Number(digits) };
  throw new Fault('invalid_argument', `Cannot set ${JSON.stringify(text.slice(0, 80))}: it is not NAME=NUMBER, as tokens=5000000`);
}

function advised(flags: StateFlags) {
  return (error: unknown): never => {
    throw withWorkspaceAdvice(error, flags);
  };
}

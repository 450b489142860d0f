/** `warren audit restart`: the next start may begin a new audit, and says so. */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { noteOfflineAction } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { findHolder } from '../internal/state-holder.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { AuditRestartFlags } from '../program/audit-commands.ts';

/** The files of an audit and its key, by the names they have in a state directory. */
const FILES = ['audit', 'audit.key'] as const;

export async function auditRestart({ state, confirm, json }: AuditRestartFlags, host: Host, by: string): Promise<number> {
  const directory = statePath(host, state);
  if (confirm === undefined || confirm.trim() === '') {
    throw new Fault('invalid_argument', 'Cannot restart the audit: say why, it is recorded', {
      details: { fix: nextCommand("audit restart --confirm 'the disk was lost'", { state }) },
    });
  }
  if (!existsSync(join(directory, 'kernel.db'))) {
    throw new Fault('not_found', `Cannot restart the audit: there is no store in ${directory}`, { details: { path: directory } });
  }
  const pid = findHolder(directory);
  if (pid !== undefined) {
    throw new Fault('busy', `Cannot restart the audit: process ${pid} has ${directory} open`, {
      details: { pid, fix: nextCommand('stop', { state }) },
    });
  }
  const at = host.now();
  const suffix = `${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;
  const found = FILES.filter((name) => existsSync(join(directory, name)));
  const kept = found.map((name) => join(directory, `${name}.${suffix}`));
  noteOfflineAction(directory, 'audit.restart', { reason: confirm, kept_as: kept }, { at, by });
  for (const name of found) renameSync(join(directory, name), join(directory, `${name}.${suffix}`));
  if (json === true) {
    await host.stdout.write(`${safeJson({ state_directory: directory, kept_as: kept }, 2)}\n`);
    return 0;
  }
  await host.stdout.write('The next start begins a new audit, which says so in its first entry.\n');
  for (const path of kept) await host.stdout.write(`What was left of the old one is kept: ${safeText(path)}\n`);
  await host.stdout.write(`  next: ${nextCommand('serve', { state })}\n`);
  return 0;
}

/** The store of a state directory without a daemon in between: for backup, restore and doctor. */
import { addBackupFiles, openKernel, restoreStore } from '@warren/kernel';
import type { PlacedFiles } from '@warren/platform';
import type { BackupParts } from '../commands/backup.ts';
import type { RestoreParts } from '../commands/restore.ts';
import type { StoreReport } from '../commands/store-doctor.ts';

export { openState } from './state.ts';

export function uid(): number {
  return process.geteuid?.() ?? 0;
}

export const backUp: BackupParts['backUp'] = async (stateDirectory, path, options) => {
  process.umask(0o077); // The copy is as private as the store, from its first byte on.
  await using kernel = await openKernel({ directory: stateDirectory, isReadOnly: true });
  await kernel.store.backup(path, options);
};

export const readFiles: BackupParts['readFiles'] = async (...reading) => (await import('@warren/platform')).readStateFiles(...reading);

export const addFiles: BackupParts['addFiles'] = async (path, files) => addBackupFiles(path, files);

export const restore: RestoreParts['restore'] = async (request) => {
  const { placeStateFiles } = await import('@warren/platform');
  let placed: PlacedFiles = { placed: [], kept: [], left: [] };
  const done = await restoreStore({
    ...request,
    place: (files) => {
      placed = placeStateFiles(request.directory, files, request.suffix);
    },
  });
  return { ...done, placed };
};

export const adviseOnVault: RestoreParts['adviseOnVault'] = async (directory) => {
  const { examineVault } = await import('@warren/platform');
  const vault = await examineVault(directory);
  if (vault.kind === 'unusable') return `its secrets cannot be used: ${vault.reason}`;
  return vault.kind === 'locked' && vault.key === 'passphrase'
    ? 'the vault is locked with the passphrase it had when the backup was made'
    : undefined;
};

export async function examine(stateDirectory: string): Promise<StoreReport> {
  await using kernel = await openKernel({ directory: stateDirectory, isReadOnly: true });
  const problems = await kernel.store.check();
  const counts = { workspaces: 0, processes: 0, events: 0, entries: 0, files: 0 };
  // What is damaged may not be countable.
  if (problems.length === 0) {
    for (const { id } of await kernel.workspaces.list()) {
      const { processes, events, queue, files } = await kernel.workspace(id).observe.summary();
      counts.workspaces++;
      counts.processes += sum(processes);
      counts.events += events.count;
      counts.entries += sum(queue);
      counts.files += files.count;
    }
  }
  return { schemaVersion: kernel.store.schemaVersion, bytes: await kernel.store.size(), problems, counts };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

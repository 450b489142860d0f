/** The store of a state directory without a daemon in between: for backup, restore and doctor. */
import { openKernel } from '@warren/kernel';
import type { BackupParts } from '../commands/backup.ts';
import type { StoreReport } from '../commands/store-doctor.ts';

export { restoreStore } from '@warren/kernel';
export { openState } from './state.ts';

export function uid(): number {
  return process.geteuid?.() ?? 0;
}

export const backUp: BackupParts['backUp'] = async (stateDirectory, path, options) => {
  process.umask(0o077); // The copy is as private as the store, from its first byte on.
  await using kernel = await openKernel({ directory: stateDirectory, isReadOnly: true });
  await kernel.store.backup(path, options);
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

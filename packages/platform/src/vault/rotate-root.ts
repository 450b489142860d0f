/**
 * A new root key for all workspaces. What an earlier rotation left half done, since it failed or was cut off, is finished first: however often one fails, there is one root key more than before and not one for each time. A data key that
 * cannot be read keeps the root key it names, and holds up no other.
 */
import type { Kernel } from '@warren/kernel';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import { DataKeys } from './data-keys.ts';
import type { RootKeys } from './root-keys.ts';

export type RotationParts = {
  readonly kernel: Pick<Kernel, 'workspace' | 'workspaces'>;
  readonly roots: RootKeys;
};

const NAMES_MAX = 10;

/** One at a time: whoever calls it sees to that. Faults: `store_failed`, also when a data key is damaged, after all others are under the new root key; it names the workspaces. */
export async function rotateRoot({ kernel, roots }: RotationParts, signal: AbortSignal | undefined): Promise<void> {
  const finish = async (): Promise<readonly WorkspaceId[]> => {
    const damaged: WorkspaceId[] = [];
    for (const { id } of await kernel.workspaces.list()) {
      signal?.throwIfAborted();
      const left = await ifThere(() => new DataKeys(id, kernel.workspace(id).secrets, async () => roots).rewrap());
      if (left !== undefined && left.length > 0) damaged.push(id);
    }
    await roots.dropOld(() => namedRoots(kernel));
    return damaged;
  };
  signal?.throwIfAborted();
  if (roots.hasOld()) await finish();
  await roots.add();
  const damaged = await finish();
  if (damaged.length === 0) return;
  const names = `${damaged.slice(0, NAMES_MAX).join(', ')}${damaged.length > NAMES_MAX ? ` and ${damaged.length - NAMES_MAX} more` : ''}`;
  throw new Fault(
    'store_failed',
    `Cannot replace the root key of every workspace: the keys of ${names} are damaged, or of another vault; all others are under the new one, and the old one is kept for these`,
    { details: { workspaces: damaged } },
  );
}

/** Those that a data key in the store is wrapped by, readable or not. */
async function namedRoots(kernel: RotationParts['kernel']): Promise<ReadonlySet<number>> {
  const named = new Set<number>();
  for (const { id } of await kernel.workspaces.list())
    for (const { root } of (await ifThere(() => kernel.workspace(id).secrets.dataKeys())) ?? []) named.add(root);
  return named;
}

/** Undefined when the workspace was deleted meanwhile: its keys are gone with it. */
async function ifThere<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (isFault(error, 'not_found')) return undefined;
    throw error;
  }
}

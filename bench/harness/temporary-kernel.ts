/** A kernel in a directory of its own, on the disk the checkout is on: /tmp may be memory, where a flush costs nothing. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Kernel, openKernel, type WorkspaceKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';

export type TemporaryKernel = AsyncDisposable & { readonly kernel: Kernel; readonly mine: WorkspaceKernel; readonly directory: string };

export async function openTemporaryKernel(): Promise<TemporaryKernel> {
  const directory = temporaryDirectory();
  const kernel = await openKernel({ directory });
  return {
    kernel,
    mine: kernel.workspace(DEFAULT_WORKSPACE),
    directory,
    async [Symbol.asyncDispose]() {
      await kernel.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function temporaryDirectory(): string {
  const build = resolve(import.meta.dirname, '../../build');
  mkdirSync(build, { recursive: true });
  return mkdtempSync(join(build, 'bench-'));
}

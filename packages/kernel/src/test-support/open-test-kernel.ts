/** A kernel on a real store in a directory that goes away with it. Tests own its time. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import type { Kernel, WorkspaceKernel } from '../kernel.ts';
import { type KernelOptions, openKernel } from '../open-kernel.ts';

export type TestClock = Clock & { advance(ms: number): void };

/** Stands still unless it is advanced. */
export function createTestClock(now = 1_800_000_000_000): TestClock {
  let time = now;
  return {
    now: () => time,
    advance(ms) {
      time += ms;
    },
  };
}

export type TestKernel = AsyncDisposable & {
  readonly kernel: Kernel;
  readonly mine: WorkspaceKernel;
  readonly clock: TestClock;
  readonly directory: string;
  /** Closes and opens again on the same directory, as a restart does. */
  reopen(options?: Partial<KernelOptions>): Promise<void>;
};

/** Every transaction runs twice, unless told otherwise. */
export async function openTestKernel(options: Partial<KernelOptions> = {}): Promise<TestKernel> {
  const { directory = mkdtempSync(join(tmpdir(), 'warren-kernel-')) } = options;
  const clock = createTestClock();
  const open = (more: Partial<KernelOptions> = {}) => openKernel({ directory, clock, isRehearsing: true, ...options, ...more });
  let kernel = await open();
  return {
    get kernel() {
      return kernel;
    },
    get mine() {
      return kernel.workspace(DEFAULT_WORKSPACE);
    },
    clock,
    directory,
    async reopen(more) {
      await kernel.close();
      kernel = await open(more);
    },
    async [Symbol.asyncDispose]() {
      await kernel.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

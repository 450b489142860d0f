/**
 * A part of the kernel as the simulator sees it: what can be asked of it at random, what its events say happened, and what it holds now. The
 * model is the events told to plain maps; it knows nothing of tables, transactions or flushes.
 */
import type { EventRecord, WorkspaceKernel } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { World } from './world.ts';

/** A random request. Resolves when it is acknowledged; a fault is an answer too, a death is not. */
export type Ask = (mine: WorkspaceKernel, random: Random, world: World) => Promise<unknown>;

export interface Part {
  readonly name: string;
  readonly asks: readonly Ask[];
  /** A model that has heard of nothing. */
  createModel(): Model;
  /** What the kernel says it holds, in the same shape as the model's `state`. */
  observe(mine: WorkspaceKernel): Promise<unknown>;
}

export interface Model {
  /** Takes one event. Throws when it tells of something that must not happen. */
  hear(event: EventRecord): void;
  readonly state: unknown;
}

/** What the clients of a workspace remember. They outlive the kernel, so after a death some of it is stale. */
import type { Message } from '@warren/kernel';

/** Of each kind, so that old ones come up again and again. */
const KEPT_MAX = 12;

export class Notes {
  /** The newest process anybody heard of. */
  lastPid = 0;
  /** Processes that got a box. */
  readonly boxes: number[] = [];
  /** Accounts that got a budget, as the kernel names them, and of what. */
  readonly budgets: (readonly [account: string, dim: string])[] = [];
  /** Entries of the queue. */
  readonly entries: number[] = [];
  readonly claims: { readonly id: number; readonly fence: number }[] = [];
  readonly runs: number[] = [];
  /** Under which somebody worked off a run. */
  readonly leases: { readonly run: number; readonly entry: number; readonly fence: number }[] = [];
  readonly messages: Message[] = [];
  readonly reservations: number[] = [];
  /** Those who wait right now: `isThere` asks for the same without waiting. */
  readonly waiting = new Set<{ readonly what: string; readonly isThere: () => Promise<boolean> }>();
  /** By token id. */
  readonly secrets = new Map<string, string>();
}

export function keep<T>(list: T[], ...items: readonly T[]): void {
  list.push(...items);
  list.splice(0, list.length - KEPT_MAX);
}

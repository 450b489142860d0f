/** Somewhere notices are delivered. */
import type { Notice } from './notice.ts';

export interface Target {
  /** Unique; names its cursor on disk. */
  readonly name: string;
  readonly kinds: readonly Notice['kind'][];
  /** Rejects when it was not delivered; then it is tried again. Delivered twice is possible, with the same id. */
  deliver(notice: Notice, signal: AbortSignal): Promise<void>;
}

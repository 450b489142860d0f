/** Somewhere notices are delivered. */
import type { Notice } from './notice.ts';

export interface Target {
  /** Unique; names its cursor on disk. */
  readonly name: string;
  readonly kinds: readonly Notice['kind'][];
  /**
   * Rejects when it was not delivered; then it is tried again: for long, or, when it rejects with `NoticeRefused`, a few times. Delivered twice is possible, with the
   * same id.
   */
  deliver(notice: Notice, signal: AbortSignal): Promise<void>;
}

/** The other side got the notice and does not want it: another attempt is likely to end in the same way. */
export class NoticeRefused extends Error {
  override readonly name = 'NoticeRefused';
}

/** Retention as the rest of Warren sees it. */

import type { PurgedAged } from './purge-aged.ts';

/** What was deleted. */
export type Purged = PurgedAged & {
  readonly events: number;
  /** Of the queue. */
  readonly entries: number;
  /** Of agents, with their journals. */
  readonly runs: number;
  readonly messages: number;
  /** Values that expired or whose process ended. */
  readonly state: number;
  readonly fileVersions: number;
};

/** Deletes what the settings of its workspace no longer keep, every few minutes, in steps so small that no writer waits long for one. */
export interface Purger extends AsyncDisposable {
  /**
   * Deletes now what is due, in all workspaces, and says how much it was. One run at a time; this one begins when that under way is done.
   * A workspace that fails does not keep the others from it; its fault is thrown in the end. Ends early, without a fault, when it is closed.
   */
  purge(): Promise<Purged>;
  /** Resolves when the step under way is done. Whatever is left is deleted another time. Disposing does the same. */
  close(): Promise<void>;
}

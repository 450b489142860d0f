/** Commands of one sandbox that agents look after by id. They end with the sandbox; what they print is kept, up to a bound for each stream. */
import type { Exit, RunOptions, SignalName, Usage } from '@warren/sandbox';

export type BackgroundState = 'running' | 'completed' | 'killed' | 'timed_out' | 'failed';

export type BackgroundCommand = {
  /** `proc_` and a number that is not given again. */
  readonly id: string;
  readonly argv: readonly string[];
  readonly state: BackgroundState;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly exit: Exit | undefined;
  readonly usage: Usage | undefined;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
};

export interface BackgroundCommands {
  start(argv: readonly string[], options: RunOptions): Promise<BackgroundCommand>;
  find(id: string): BackgroundCommand | undefined;
  list(): readonly BackgroundCommand[];
  /** The kept output from `offset` on, counted in bytes that were printed; `firstOffset` is where the kept part begins. */
  output(
    id: string,
    stream: 'stdout' | 'stderr',
    offset: number,
    bytesMax: number,
  ): { readonly bytes: Uint8Array; readonly firstOffset: number; readonly totalBytes: number };
  /** Resolves when it has ended, with what it is then, or after `waitMs`. */
  wait(id: string, waitMs: number, signal: AbortSignal): Promise<BackgroundCommand>;
  /** Sends a signal to the whole tree; with `forceAfterMs`, SIGKILL if it runs then. */
  kill(id: string, signal: SignalName, forceAfterMs: number | undefined): Promise<BackgroundCommand>;
}

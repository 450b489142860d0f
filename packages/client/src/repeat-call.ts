/** Tries a call again that failed for a reason that passes. Only what may be carried out twice comes here. */
import { FAULTS, Fault, isFault } from '@warren/protocol';
import { pause } from './internal/pause.ts';

/** A daemon that asks for more is not waited for: the caller decides. */
const PAUSE_MS_MAX = 30_000;
const FIRST_PAUSE_MS = 100;

export type RepeatOptions = {
  readonly attemptsMax: number;
  readonly signal: AbortSignal | undefined;
  /** The client is: nothing is tried again. */
  readonly isClosing: AbortSignal;
  /** From 0 to 1. So that those who failed together do not come back together. */
  readonly random?: (() => number) | undefined;
};

/** Throws what the last attempt threw. */
export async function repeatCall<T>(attempt: () => Promise<T>, options: RepeatOptions): Promise<T> {
  const { attemptsMax, signal, isClosing, random = Math.random } = options;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFault(error) || !FAULTS[error.code].retry || attempts >= attemptsMax) throw error;
      const backoffMs = FIRST_PAUSE_MS * 2 ** (attempts - 1) * (0.5 + random() / 2);
      const pauseMs = Math.max(retryAfterMs(error), backoffMs);
      if (pauseMs > PAUSE_MS_MAX) throw error;
      await pause(pauseMs, signal === undefined ? isClosing : AbortSignal.any([signal, isClosing]));
      if (isClosing.aborted) throw error;
      if (signal?.aborted === true) throw new Fault('aborted', `${error.message}; the caller gave up`, { cause: error });
    }
  }
}

/** How long the daemon asks to wait; 0 when it does not. */
export function retryAfterMs({ details }: Fault): number {
  const asked: unknown = details === undefined || !('retry_after_ms' in details) ? 0 : details['retry_after_ms'];
  return typeof asked === 'number' && asked > 0 ? asked : 0;
}

/** One command at a time does something that is over in a moment: whoever makes the file may. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@warren/protocol';

const AGAIN_MS = 20;
const WAIT_MS_MAX = 10_000;

/**
 * Throws `busy` when it cannot be had in time. One that was left behind by a crash is not taken away: two that found it at once would take that of each other.
 * The fault says what to do.
 */
export async function takeLockFile(path: string, signal: AbortSignal, waitMsMax = WAIT_MS_MAX): Promise<Disposable> {
  const until = performance.now() + waitMsMax;
  for (;;) {
    signal.throwIfAborted();
    if (isMade(path)) return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    if (performance.now() >= until) {
      throw new Fault('busy', `Cannot take ${path}: another command has had it for ${waitMsMax} ms`, {
        details: { path, fix: `if no other warren command runs: rm ${path}` },
      });
    }
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function isMade(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

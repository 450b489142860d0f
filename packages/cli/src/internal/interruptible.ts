import { Fault } from '@warren/protocol';
import type { SignalName } from '@warren/sandbox';
import { exitCodeOfSignal } from './exit-code.ts';
import type { Host } from './host.ts';

/**
 * Does some work that ends early, but in order, when we are told to end; told twice, we leave at once (the work must survive that too).
 * Returns what `work` returns, or the exit code of the signal.
 */
export async function interruptible(host: Host, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let received: SignalName | undefined;
  using _signals = host.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    if (received !== undefined) host.exit(exitCodeOfSignal(signal));
    received = signal;
    controller.abort(new Fault('aborted', `Cannot go on: ${signal}`));
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    if (received === undefined) throw error;
    await host.stderr.write(`warren: interrupted: ${error instanceof Error ? error.message : String(error)}\n`).catch(() => {}); // Nobody listens.
    return exitCodeOfSignal(received);
  }
}

import type { SignalName } from '@warren/sandbox';
import { exitCodeOfSignal } from './exit-code.ts';
import type { Host } from './host.ts';

/** Does some work that goes on until we are told to end: that is how it ends well. Returns the exit code of the signal, or what `work` returns. */
export async function untilSignal(host: Host, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let received: SignalName | undefined;
  using _signals = host.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    if (received !== undefined) host.exit(exitCodeOfSignal(signal));
    received = signal;
    controller.abort();
  });
  try {
    const code = await work(controller.signal);
    return received === undefined ? code : exitCodeOfSignal(received);
  } catch (error) {
    if (received === undefined) throw error;
    return exitCodeOfSignal(received); // It was cut off in the middle of something, as it should be.
  }
}

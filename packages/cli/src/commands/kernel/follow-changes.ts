/** Shows what there is and then, row by row, what changes: told by events, never by asking again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventMessage } from '@warren/client';
import { isFault } from '@warren/protocol';
import type { Host } from '../../internal/host.ts';
import { untilSignal } from '../../internal/until-signal.ts';
import type { KernelContext } from './kernel-context.ts';

export type Changes = {
  /** Shows what there is. */
  readonly begin: () => Promise<void>;
  /** Shows what an event has changed, as it is now. */
  readonly show: (event: EventMessage) => Promise<void>;
};

/** A daemon that went away in the middle of a question is asked again after this. */
const RETRY_MS = 500;

export async function followChanges({ operations, host }: KernelContext, { begin, show }: Changes): Promise<number> {
  return await untilSignal(host, async (signal) => {
    // Taken first, so that nothing happens unseen between the list and the first event.
    const { next_event_id } = await operations.call('event.extent', {});
    await begin();
    const onInterruption = interruptionTeller(host);
    for await (const event of operations.events({ after: next_event_id - 1 }, { signal, onInterruption })) {
      while (!(await isShown(show, event, onInterruption))) await sleep(RETRY_MS, undefined, { signal });
    }
    return 0;
  });
}

async function isShown(show: Changes['show'], event: EventMessage, onInterruption: () => void): Promise<boolean> {
  try {
    await show(event);
    return true;
  } catch (error) {
    if (!isFault(error, 'unavailable')) throw error;
    onInterruption();
    return false;
  }
}

/** Says once that the daemon is gone; it is waited for. */
export function interruptionTeller(host: Host): () => void {
  let isTold = false;
  return () => {
    if (isTold) return;
    isTold = true;
    host.stderr.write('warren: the daemon is gone; this goes on when it is back (Ctrl-C ends)\n').catch(() => {}); // Nobody listens.
  };
}

/** Shows what there is and then, row by row, what changes: told by events, never by asking again and again. */
import type { EventMessage } from '@warren/client';
import type { Host } from '../../internal/host.ts';
import { untilSignal } from '../../internal/until-signal.ts';
import type { KernelContext } from './kernel-context.ts';

export type Changes = {
  /** Shows what there is. */
  readonly begin: () => Promise<void>;
  /** What an event is about; undefined when it does not matter here. */
  readonly subjectOf: (event: EventMessage) => number | undefined;
  /** Shows one that changed, as it is now. */
  readonly show: (subject: number) => Promise<void>;
};

export async function followChanges({ operations, host }: KernelContext, { begin, subjectOf, show }: Changes): Promise<number> {
  return await untilSignal(host, async (signal) => {
    // Taken first, so that nothing happens unseen between the list and the first event.
    const { next_event_id } = await operations.call('event.extent', {});
    await begin();
    const following = operations.events({ after: next_event_id - 1 }, { signal, onInterruption: interruptionTeller(host) });
    for await (const event of following) {
      const subject = subjectOf(event);
      if (subject !== undefined) await show(subject);
    }
    return 0;
  });
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

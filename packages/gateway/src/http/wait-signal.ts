import type { EventEmitter } from 'node:events';
import { Fault } from '@warren/protocol';

/** A signal that fires when the other end goes away or the daemon stops; made only if somebody asks for it, as few calls wait. */
export function createWaitSignal(connection: EventEmitter, goneEvent: string, stopping: AbortSignal): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (controller !== undefined) return controller.signal;
    const made = new AbortController();
    controller = made;
    const stop = (): void => made.abort(new Fault('aborted', 'Cannot wait any longer: the daemon stops'));
    if (stopping.aborted) stop();
    else stopping.addEventListener('abort', stop, { once: true });
    connection.once(goneEvent, () => {
      stopping.removeEventListener('abort', stop);
      made.abort(new Fault('aborted', 'Cannot wait any longer: the caller is gone'));
    });
    return made.signal;
  };
}

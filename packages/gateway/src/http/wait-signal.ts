import type { EventEmitter } from 'node:events';
import { Fault } from '@warren/protocol';

export type WaitSignalParts = {
  readonly connection: EventEmitter;
  /** Whether the other end is gone already, and with it that event. */
  readonly isGone: () => boolean;
  readonly stopping: AbortSignal;
};

/** A signal that fires when the connection closes or the daemon stops; made only if somebody asks for it, as few calls wait. */
export function createWaitSignal({ connection, isGone, stopping }: WaitSignalParts): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    controller ??= connect(new AbortController());
    return controller.signal;
  };

  function connect(made: AbortController): AbortController {
    const stop = (): void =>
      made.abort(new Fault('aborted', 'Cannot wait any longer: the daemon stops', { details: { is_stopping: true } }));
    const leave = (): void => {
      stopping.removeEventListener('abort', stop);
      made.abort(new Fault('aborted', 'Cannot wait any longer: the caller is gone'));
    };
    if (stopping.aborted) stop();
    else if (isGone()) leave();
    else {
      stopping.addEventListener('abort', stop, { once: true });
      connection.once('close', leave);
    }
    return made;
  }
}

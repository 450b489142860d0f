import type { EventEmitter } from 'node:events';
import { Fault } from '@warren/protocol';

export type GoneSignalParts = {
  readonly connection: EventEmitter;
  /** Whether the other end is gone already, and with it that event. */
  readonly isGone: () => boolean;
};

/** A signal that fires when the connection closes: for what is being done, which is finished also when the daemon stops. Made only if somebody asks for it. */
export function createGoneSignal({ connection, isGone }: GoneSignalParts): () => AbortSignal {
  return made((controller) => {
    const leave = (): void => controller.abort(new Fault('aborted', 'Cannot go on: the caller is gone'));
    if (isGone()) leave();
    else connection.once('close', leave);
  });
}

/** One that fires when the connection closes or the daemon stops: for who waits for something to happen. */
export function createWaitSignal({
  connection,
  isGone,
  stopping,
}: GoneSignalParts & { readonly stopping: AbortSignal }): () => AbortSignal {
  return made((controller) => {
    const stop = (): void =>
      controller.abort(new Fault('aborted', 'Cannot wait any longer: the daemon stops', { details: { is_stopping: true } }));
    const leave = (): void => {
      stopping.removeEventListener('abort', stop);
      controller.abort(new Fault('aborted', 'Cannot wait any longer: the caller is gone'));
    };
    if (stopping.aborted) stop();
    else if (isGone()) leave();
    else {
      stopping.addEventListener('abort', stop, { once: true });
      connection.once('close', leave);
    }
  });
}

/** When it is first asked for, as few calls wait. */
function made(connect: (controller: AbortController) => void): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (controller === undefined) {
      controller = new AbortController();
      connect(controller);
    }
    return controller.signal;
  };
}

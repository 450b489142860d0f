import type { ServerResponse } from 'node:http';
import type { LiveIdentity } from '../../http/live-identity.ts';

export type KeepOpenParts = {
  readonly live: LiveIdentity;
  readonly heartbeatMs: number;
  /** Ends it when the daemon stops. */
  readonly stopping: AbortSignal;
  readonly end: () => void;
};

/** For a stream that lasts: signs of life, an end when the token is no longer good or the daemon stops, and a cut for who takes nothing for two beats. */
export function keepOpen(response: ServerResponse, { live, heartbeatMs, stopping, end }: KeepOpenParts): void {
  let isStuck = false;
  const beat = setInterval(() => {
    if (isStuck && response.writableNeedDrain) return void response.destroy();
    isStuck = response.writableNeedDrain;
    if (!isStuck && !response.writableEnded) response.write(': \n\n');
    live.isGood().then(
      (isGood) => isGood || end(),
      () => end(),
    ); // The store is gone, and with it whoever could tell.
  }, heartbeatMs);
  beat.unref();
  stopping.addEventListener('abort', end, { once: true });
  response.once('close', () => {
    clearInterval(beat);
    stopping.removeEventListener('abort', end);
  });
  if (stopping.aborted) end();
}

/** Two connections as one: each way at the pace of its reader, and either side may end first. */
import type { Duplex } from 'node:stream';

/** What one side has said is given to the other even when it is gone by then; one that breaks breaks the other. `first` goes to `upstream` before all else. */
export function joinConnections(client: Duplex, upstream: Duplex, first: Uint8Array): void {
  for (const [side, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    side.on('error', () => {}); // It closes then.
    side.once('close', () => {
      if (!side.readableEnded || !side.writableFinished) other.destroy();
    });
  }
  if (first.length > 0) upstream.write(first);
  client.pipe(upstream);
  upstream.pipe(client);
}

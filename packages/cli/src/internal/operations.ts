/** What commands that look at the kernel ask: a daemon or, without one, the store itself. Both answer by the same contract. */
import type { Client } from '@warren/client';

export interface Operations extends AsyncDisposable {
  /** `store`: a picture of a store that nobody writes; nothing happens in it that could be followed. */
  readonly kind: 'daemon' | 'store';
  readonly call: Client['call'];
  readonly events: Client['events'];
}

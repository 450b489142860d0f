import { realpathSync } from 'node:fs';
import { Fault, isFault } from '@warren/protocol';
import { openStateDirectory } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import { statePath } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';

/**
 * Makes the state directory if need be, and checks that it is ours alone. From here on everything this process makes is private. Throws
 * `store_failed`: whatever is wrong with the directory, the store in it cannot be opened.
 */
export function openState(host: Host, flag: string | undefined): string {
  const path = statePath(host, flag);
  process.umask(0o077);
  try {
    // A daemon goes on using the place it began with, also when a link that led there is changed.
    return realpathSync(openStateDirectory({ environment: { ...host.env, WARREN_STATE: path } }));
  } catch (error) {
    if (!isFault(error)) throw error;
    const fault = new Fault('store_failed', error.message, { details: error.details ?? {}, cause: error });
    throw error.message.includes('. Next: ') ? fault : withStoreAdvice(fault, flag);
  }
}

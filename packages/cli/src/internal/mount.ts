import { Fault } from '@warren/protocol';
import type { HostMount } from '@warren/sandbox';
import { safeText } from './safe-text.ts';

/**
 * `SOURCE:TARGET[:rw|:ro]`. The source is a path of the host and may itself hold colons; the target begins at the last `:/`.
 * Throws `invalid_argument`.
 */
export function parseMount(text: string): HostMount {
  const [, paths = text, mode] = /^(.*):(rw|ro)$/s.exec(text) ?? [];
  const at = paths.lastIndexOf(':/');
  if (at < 1) {
    throw new Fault(
      'invalid_argument',
      `Cannot use "${safeText(text)}" for --mount: it is SOURCE:TARGET or SOURCE:TARGET:rw, with an absolute TARGET`,
      {
        details: { option: '--mount' },
      },
    );
  }
  return { source: paths.slice(0, at), target: paths.slice(at + 1), writable: mode === 'rw' };
}

import type { ServerResponse } from 'node:http';
import type { Gateway } from './gateway.ts';

/** An answer nobody takes must not be kept for ever. */
export function destroyWhenStalled(response: ServerResponse, { limits, log }: Pick<Gateway, 'limits' | 'log'>): void {
  const timer = setTimeout(() => {
    log.warn('An answer was not taken', { waited_ms: limits.stallMs });
    response.destroy();
  }, limits.stallMs);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}

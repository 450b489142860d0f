import type { IncomingMessage } from 'node:http';

/** A header that is there at most once; of several the first. */
export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

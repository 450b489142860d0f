/**
 * What a page of ours sends along to show that it could read an answer of ours, which no other page can. It is made from the session's own token, so
 * it belongs to that session, needs no memory and survives a restart; and it does not give the token away.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const CSRF_HEADER = 'warren-csrf';
const PURPOSE = 'warren csrf 1';

export function csrfOf(token: string): string {
  return createHmac('sha256', token).update(PURPOSE).digest('base64url');
}

export function isCsrf(given: string | undefined, token: string): boolean {
  if (given === undefined) return false;
  const expected = Buffer.from(csrfOf(token));
  const got = Buffer.from(given);
  return got.length === expected.length && timingSafeEqual(got, expected);
}

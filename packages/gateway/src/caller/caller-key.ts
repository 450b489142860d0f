import type { Identity } from '../http/authenticate.ts';

/** Equal for the same principal with the same token, and for nobody else. */
export function callerKey({ principal, token }: Identity): string {
  return JSON.stringify([principal, token ?? null]);
}

export function isSameCaller(one: Identity, other: Identity): boolean {
  // A token is of one principal.
  return one.token === other.token && (one.token !== undefined || callerKey(one) === callerKey(other));
}

/**
 * An ID token (OpenID Connect Core 1.0, 3.1.3.7): signed by a key of this issuer with a public-key algorithm, made for us, for this sign-in, just now.
 * A secret is never a key here, so a public one cannot be used as if it were.
 */
import type { JSONWebKeySet } from 'jose';
import type { Claims } from './check-claims.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
const CLOCKS_APART_SECONDS = 60;
const AGE_MAX = '10 minutes';

export type IdTokenTerms = { readonly issuer: string; readonly clientId: string; readonly nonce: string };

export type IdToken =
  | { readonly kind: 'valid'; readonly subject: string; readonly claims: Claims }
  /** None of these keys signed it: it may be a newer one. */
  | { readonly kind: 'unknown-key' }
  | { readonly kind: 'refused'; readonly why: string };

export async function verifyIdToken(token: string, keys: JSONWebKeySet, { issuer, clientId, nonce }: IdTokenTerms): Promise<IdToken> {
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      ...{ issuer, audience: clientId, algorithms: ALGORITHMS, clockTolerance: CLOCKS_APART_SECONDS, maxTokenAge: AGE_MAX },
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce'],
    });
    const { sub, aud, azp } = payload;
    if (payload['nonce'] !== nonce) return { kind: 'refused', why: 'it was made for another sign-in' };
    // Made for several, it has to be us who asked for it.
    if (azp === undefined ? Array.isArray(aud) && aud.length > 1 : azp !== clientId)
      return { kind: 'refused', why: 'it was made for somebody else' };
    if (typeof sub !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(sub)) return { kind: 'refused', why: 'its subject is none' };
    return { kind: 'valid', subject: sub, claims: payload };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return { kind: 'unknown-key' };
    if (error instanceof errors.JOSEError) return { kind: 'refused', why: `${error.code}: ${error.message}` };
    return { kind: 'refused', why: 'it or the keys of the issuer cannot be read' };
  }
}

/**
 * What a server says to whoever has no token, or one that may do too little: where its metadata is (RFC 9728) and which scope it wants (RFC 6750). A stranger wrote it: what is not of
 * the form of the standards counts as not said, and nothing is asked at an address in it but through the guard.
 */
import { MCP_LIMITS } from './mcp-limits.ts';

export type LoginChallenge = {
  readonly metadataUrl: string | undefined;
  /** Words of RFC 6749 with one space between. */
  readonly scope: string | undefined;
};

const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** `said`: as the client of MCP reads it out of the header. */
export function readChallenge(said: { readonly resourceMetadataUrl?: URL; readonly scope?: string }, server: string): LoginChallenge {
  return { metadataUrl: metadataUrlOf(said.resourceMetadataUrl, server), scope: uniteScopes(said.scope) };
}

/** Each word once; undefined for none, for too many, and when one is no word of a scope. */
export function uniteScopes(...scopes: readonly (string | undefined)[]): string | undefined {
  const words = new Set(scopes.flatMap((scope) => scope?.split(' ') ?? []).filter((word) => word !== ''));
  const scope = [...words].join(' ');
  const isScope = words.size > 0 && scope.length <= MCP_LIMITS.scopeLengthMax && [...words].every((word) => SCOPE_WORD.test(word));
  return isScope ? scope : undefined;
}

/** Of a server that speaks TLS, what is read about it comes over TLS too. */
function metadataUrlOf(url: URL | undefined, server: string): string | undefined {
  if (url === undefined || url.href.length > MCP_LIMITS.metadataUrlLengthMax || url.username !== '' || url.password !== '')
    return undefined;
  const isAsGood = url.protocol === 'https:' || (url.protocol === 'http:' && new URL(server).protocol === 'http:');
  return isAsGood ? url.href : undefined;
}

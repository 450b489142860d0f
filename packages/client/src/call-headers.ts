/** The headers of every request of one client: who calls, and about which workspace. */
import { Fault } from '@warren/protocol';

export type CallerOptions = {
  /** Who calls. Over a unix socket it may be left out: the socket says so by itself. */
  readonly token?: string | undefined;
  /** Of a page of the daemon whose session is in a cookie: the `csrf` of `GET /api/session`. */
  readonly csrf?: string | undefined;
  /** Which workspace calls are about, for a caller who may choose. Default: the one of the token, or the default one. */
  readonly workspace?: string | undefined;
};

export function callHeaders({ token, csrf, workspace }: CallerOptions): Readonly<Record<string, string>> {
  return {
    ...(token !== undefined && { authorization: `Bearer ${printable(token, 'a token')}` }),
    ...(csrf !== undefined && { 'warren-csrf': printable(csrf, 'a csrf') }),
    ...(workspace !== undefined && { 'warren-workspace': printable(workspace, 'a workspace') }),
  };
}

/** What a header can carry. Not shown: it may be a secret. */
function printable(text: string, what: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Fault('invalid_argument', `Cannot use this as ${what}: it has characters that no ${what.replace(/^a /, '')} has`);
}

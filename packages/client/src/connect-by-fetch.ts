/** A client of one daemon, from a browser. */
import { type CallerOptions, callHeaders } from './call-headers.ts';
import type { Client, Patience } from './client.ts';
import { createClient } from './create-client.ts';
import { FetchTransport } from './fetch-transport.ts';

/** A token says who calls; or, in a page of the daemon itself, the cookie of a session, and `csrf` that the page is its own. */
export type ConnectOptions = { readonly url: string } & ({ readonly token: string } | { readonly csrf: string }) &
  Pick<CallerOptions, 'workspace'> &
  Patience;

/** Connects with the first call, and again when a connection was lost. Throws `invalid_argument` for an address that is none. */
export function connect(options: ConnectOptions): Client {
  const isPage = 'csrf' in options;
  const who = isPage ? { csrf: options.csrf } : { token: options.token };
  return createClient(new FetchTransport(options.url, isPage), callHeaders({ ...who, workspace: options.workspace }), options);
}

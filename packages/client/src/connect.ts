/** A client of one daemon, from Node: over its unix socket, or over TCP. */
import { type CallerOptions, callHeaders } from './call-headers.ts';
import type { Client, Patience } from './client.ts';
import { createClient } from './create-client.ts';
import { NodeTransport } from './node-transport.ts';

/** A unix socket says who calls by itself, unless a token says otherwise; over TCP a token does. */
export type ConnectOptions = (
  | { readonly socketPath: string; readonly token?: string | undefined }
  | { readonly url: string; readonly token: string; readonly fingerprint?: string | undefined }
) &
  Pick<CallerOptions, 'workspace'> &
  Patience;

/** Connects with the first call, and again when a connection was lost. Throws `invalid_argument` for an address that is none. */
export function connect(options: ConnectOptions): Client {
  const headers = callHeaders({ token: options.token, workspace: options.workspace });
  return createClient(new NodeTransport(options), headers, options);
}

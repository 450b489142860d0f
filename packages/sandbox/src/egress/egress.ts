/**
 * The egress guard: how anything of Warren reaches a host on an agent's behalf. A name is resolved once, every address of the answer is checked, and the
 * connection goes to the checked address and to nothing else. Addresses that are not plainly public (private, loopback, link-local, shared, reserved,
 * multicast, documentation, translated and mapped forms, and whatever the special-purpose registries hold) are refused, in whatever spelling. Redirects
 * are followed by hand, each checked like the first.
 */
import type { Socket } from 'node:net';

/** What may be reached, as grants write it: `h`, `*.h` (one label), `**.h` (h and any depth), `*`, each with an optional `:port`. */
export type HostPattern = string;

export type EgressRules = {
  readonly hosts: readonly HostPattern[];
  /**
   * Addresses or networks that are allowed although they are not public, as `127.0.0.1/32` or `10.1.0.0/16`. For operators; empty by default. Addresses at
   * which clouds hand out credentials, and those of this machine, are only allowed by an entry of their own (`/32`, `/128`), or loopback as a network. Throws
   * the fault `invalid_argument` when one is malformed.
   */
  readonly privateNetworks?: readonly string[] | undefined;
};

export type EgressRequest = {
  readonly url: string;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
  /** Default 10; 0 hands out the redirect itself. */
  readonly redirectsMax?: number | undefined;
  /** From the first lookup to the last byte. Default 30,000. */
  readonly deadlineMs?: number | undefined;
  /** Of the body as it is on the wire, and as it is after decompression. Default 10 MiB each. */
  readonly bodyBytesMax?: number | undefined;
};

export type EgressResponse = {
  readonly status: number;
  /** Lower case; values of repeated ones joined by `, `, but `set-cookie` by newlines. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed. Ends with an `EgressRefusal` when a limit is passed. Whoever gets a response reads or disposes it. */
  readonly body: AsyncIterable<Uint8Array>;
  /** After redirects. */
  readonly url: string;
  readonly redirects: readonly { readonly from: string; readonly to: string; readonly status: number }[];
  /** Both ways, headers included, so far. */
  readonly bytes: () => number;
  readonly dispose: () => void;
};

/** Why nothing was, or no more is, sent or read. An outcome for the agent: `message` names no address that it did not name itself. */
export class EgressRefusal extends Error {
  override readonly name = 'EgressRefusal';
  readonly reason: EgressReason;
  readonly host: string;
  /** What went both ways until then. Set by the guard. */
  bytes = 0;

  constructor(reason: EgressReason, host: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.host = host;
  }
}

export type EgressReason =
  | 'invalid_url'
  /** A method, header or limit that is not sent for anybody. */
  | 'invalid_request'
  | 'host_not_allowed'
  /** The host may be reached, but not with this method or at this path. */
  | 'request_not_allowed'
  | 'address_not_public'
  | 'not_resolved'
  | 'not_connected'
  | 'tls_failed'
  | 'deadline'
  | 'too_large'
  | 'too_many_redirects'
  /** To a scheme or an origin the request must not follow to. */
  | 'redirect_refused'
  | 'protocol_error';

export interface Egress extends AsyncDisposable {
  /**
   * Follows redirects. No connection is used twice, so nothing of one caller meets another's. Throws `EgressRefusal`, or the fault `busy` when too many are
   * open; abort rejects with the signal's reason and closes the connection, also while the body is read.
   */
  fetch(rules: EgressRules, request: EgressRequest, signal: AbortSignal): Promise<EgressResponse>;
  /** Addresses of a host that may be reached; all public ones, else the whole name is refused. Throws `EgressRefusal`. */
  lookup(rules: EgressRules, host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Opens a connection for whoever speaks HTTP or TLS over it, within 30 s. The caller owns the socket; abort destroys it, also later. Throws as `fetch` does. */
  connect(rules: EgressRules, target: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<Socket>;
  /** Opens and closes a connection. Throws `EgressRefusal` (`not_connected` when nobody listens). */
  probe(
    rules: EgressRules,
    target: { readonly host: string; readonly port: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly latencyMs: number }>;
}

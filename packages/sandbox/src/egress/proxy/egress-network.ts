/** What commands in a sandbox may reach, as whoever starts the sandbox says it, and what they are told came of it. */
import type { EgressReason, HostPattern } from '../egress.ts';
import type { EgressSecrets } from './secret/egress-secrets.ts';

export type EgressRule = {
  /** `h`, `*.h` (one label), `**.h` (h and any depth), `*`, each with an optional `:port`. Without a port: 80 and 443. */
  readonly host: HostPattern;
  /** Only these. Without `inspect` a rule with methods or paths holds for plain HTTP alone: what goes through a tunnel cannot be seen. */
  readonly methods?: readonly string[] | undefined;
  /** Only these, as `/a/b`, or `/a/*` for `/a/` and all below it. The query is not looked at. */
  readonly paths?: readonly string[] | undefined;
  /**
   * TLS to this host is opened by the proxy: it answers with a certificate of an authority that is made for this sandbox and that nobody else trusts, reads each
   * request, and speaks TLS with the host itself. Programs need nothing for it; one that trusts only certificates it brings along is refused by itself. Where
   * any rule for a host says so, every connection to it is opened. Default: a tunnel, of which nothing is seen.
   */
  readonly inspect?: boolean | undefined;
};

/** Egress through a proxy of the sandbox's own: whatever no rule allows is refused. */
export type EgressNetwork = {
  readonly kind: 'egress';
  /** At most 256; none allows nothing. */
  readonly rules: readonly EgressRule[];
  /** Networks that may be reached although they are not public, as `EgressRules` says it. */
  readonly privateNetworks?: readonly string[] | undefined;
  /** Asked about what the rules have allowed, before it is told. What it throws refuses the request. */
  readonly decide?: ((asked: EgressAsked, signal: AbortSignal) => EgressVerdict | Promise<EgressVerdict>) | undefined;
  /** Told of every decision before it is carried out, and of the bytes of every connection. What it throws refuses the request. */
  readonly onEvent?: ((event: EgressEvent) => void) | undefined;
  /** Told four times a second what went over connections since it was told last, if anything did, and once more at the end. Must not throw. */
  readonly onTraffic?: ((traffic: EgressTraffic) => void) | undefined;
  /** May change the headers of a request that can be seen after the rules have allowed it. What it throws refuses the request. */
  readonly onRequest?: ((request: SeenRequest, signal: AbortSignal) => Headers | Promise<Headers>) | undefined;
  /** Secrets that are put into requests on their way, and taken out of what comes back. */
  readonly secrets?: EgressSecrets | undefined;
};

/** Name and value, in their order. Framing and what concerns one connection alone are not among them. */
export type Headers = readonly (readonly [name: string, value: string])[];

export type SeenRequest = {
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
};

export type EgressAsked = {
  /** `CONNECT` for a tunnel of which nothing is seen. */
  readonly method: string;
  /** Of a tunnel nobody knows. */
  readonly scheme: 'http' | 'https' | undefined;
  readonly host: string;
  readonly port: number;
  /** As it will be sent, without the query; a tunnel has none. */
  readonly path: string | undefined;
  /** With its question mark; empty when there is none. Placeholders are still placeholders. */
  readonly query: string;
};

export type EgressVerdict =
  /** When `until` fires, what was allowed ends: the connection is closed. `onEnd` is called once when it has ended, however it did. */
  | { readonly kind: 'allowed'; readonly until?: AbortSignal | undefined; readonly onEnd?: (() => void) | undefined }
  | { readonly kind: 'denied'; readonly reason: DenialReason; readonly message: string };

/** `path` is without the query; a tunnel (`CONNECT`) has none. */
export type EgressEvent =
  | { readonly kind: 'allowed'; readonly method: string; readonly host: string; readonly port: number; readonly path: string | undefined }
  | {
      readonly kind: 'denied' | 'failed';
      readonly method: string;
      /** Empty and 0 when the request says none that can be read. */
      readonly host: string;
      readonly port: number;
      /** Undefined also where none could be read. */
      readonly path: string | undefined;
      readonly reason: DenialReason;
      readonly message: string;
    }
  /** A connection to a host has ended: what went over it, headers included. */
  | ({ readonly kind: 'ended'; readonly host: string; readonly port: number } & EgressTraffic);

export type DenialReason =
  | EgressReason
  | 'busy'
  | 'unavailable'
  /** By whoever is asked beyond the rules: a policy, a person who would have to be asked, a budget that is spent. */
  | 'policy_denied'
  | 'approval_required'
  | 'budget_exceeded'
  /** There is no such secret for this host, or it may not stand where it stands. */
  | 'secret_not_bound'
  | 'secret_misplaced';

export type EgressTraffic = { readonly bytesSent: number; readonly bytesReceived: number };

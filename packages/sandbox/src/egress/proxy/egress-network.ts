/** What commands in a sandbox may reach, as whoever starts the sandbox says it, and what they are told came of it. */
import type { EgressReason, HostPattern } from '../egress.ts';

export type EgressRule = {
  /** `h`, `*.h` (one label), `**.h` (h and any depth), `*`, each with an optional `:port`. Without a port: 80 and 443. */
  readonly host: HostPattern;
  /** Only these. A rule with methods or paths holds for plain HTTP alone: what goes through a tunnel cannot be seen. */
  readonly methods?: readonly string[] | undefined;
  /** Only these, as `/a/b`, or `/a/*` for `/a/` and all below it. The query is not looked at. */
  readonly paths?: readonly string[] | undefined;
};

/** Egress through a proxy of the sandbox's own: whatever no rule allows is refused. */
export type EgressNetwork = {
  readonly kind: 'egress';
  /** At most 256; none allows nothing. */
  readonly rules: readonly EgressRule[];
  /** Networks that may be reached although they are not public, as `EgressRules` says it. */
  readonly privateNetworks?: readonly string[] | undefined;
  /** Told of every decision before it is carried out, and of the bytes of every connection. What it throws refuses the request. */
  readonly onEvent?: ((event: EgressEvent) => void) | undefined;
  /** May change the headers of a request of plain HTTP after the rules have allowed it. What it throws refuses the request. */
  readonly onRequest?: ((request: PlainRequest, signal: AbortSignal) => Headers | Promise<Headers>) | undefined;
};

/** Name and value, in their order. Framing and what concerns one connection alone are not among them. */
export type Headers = readonly (readonly [name: string, value: string])[];

export type PlainRequest = {
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
};

/** `path` is without the query; a tunnel (`CONNECT`) has none. */
export type EgressEvent =
  | { readonly kind: 'allowed'; readonly method: string; readonly host: string; readonly port: number; readonly path: string | undefined }
  | {
      readonly kind: 'denied' | 'failed';
      readonly method: string;
      /** Empty and 0 when the request says none that can be read. */
      readonly host: string;
      readonly port: number;
      readonly reason: DenialReason;
      readonly message: string;
    }
  /** A connection to a host has ended: what went over it, headers included. */
  | ({ readonly kind: 'ended'; readonly host: string; readonly port: number } & EgressTraffic);

export type DenialReason = EgressReason | 'busy' | 'unavailable';

export type EgressTraffic = { readonly bytesSent: number; readonly bytesReceived: number };

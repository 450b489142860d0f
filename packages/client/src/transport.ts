/** How bytes reach a daemon: the one thing that differs between Node and a browser. */

export type WireRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** From the first slash, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** `retryAfter`: the header, empty when there is none. */
export type WireHead = { readonly status: number; readonly contentType: string; readonly retryAfter: string };
export type WireAnswer = WireHead & { readonly body: string };
export type WireStream = WireHead & { readonly body: AsyncIterable<string> };

/** The largest body of a file in base 64, and its frame. */
export const ANSWER_BYTES_MAX = 64 * 2 ** 20;

export interface Transport {
  /** Where it leads, for messages. */
  readonly address: string;
  /**
   * Sends a request and reads the whole answer. Throws `unavailable` when nobody answers or the connection breaks (its details say whether
   * the request was sent), `too_large`, and `aborted` when `signal` fires; then nobody knows whether the request was carried out.
   */
  send(request: WireRequest, signal: AbortSignal | undefined): Promise<WireAnswer>;
  /** Sends a request and gives the answer piece by piece. Leaving the loop, or `signal`, closes the connection. Throws as `send`. */
  stream(request: WireRequest, signal: AbortSignal): Promise<WireStream>;
  /** Ends everything that is under way. */
  close(): void;
}

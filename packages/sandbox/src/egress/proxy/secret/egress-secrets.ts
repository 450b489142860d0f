/**
 * Secrets that commands use without ever having them. What they have is a placeholder; the proxy puts the value in its place, in requests that it can see, after
 * the rules, where whoever knows the secrets says so. What comes back is searched for values before a command sees it. The proxy knows no vault: it asks.
 */
export type EgressSecrets = {
  /** Asked for each placeholder in each request. What it throws refuses the request. */
  readonly substitute: (asked: SecretAsked, signal: AbortSignal) => SecretAnswer | Promise<SecretAnswer>;
  /**
   * Asked when an answer begins that can be seen, and again with each part of it. The same one as long as it knows every value that went out; another from before the next
   * goes out, which knows that one, too.
   */
  readonly redactor: () => AnswerRedactor;
  /** Whether values may also go out where everybody on the way reads them, as plain HTTP. Default: no. */
  readonly isPlainAllowed?: boolean | undefined;
};

/** Where a placeholder stands. Names of headers in lower case; of a body the name of the field, in JSON that of the innermost. */
export type SecretPlace = { readonly kind: 'header' | 'query' | 'body'; readonly name: string };

export type SecretAsked = {
  readonly placeholder: string;
  readonly place: SecretPlace;
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** Without the query. */
  readonly path: string;
};

export type SecretAnswer =
  /** 1 byte to 64 KiB. The proxy owns them, and overwrites them when the request is written. */
  | { readonly kind: 'value'; readonly value: Uint8Array }
  /** There is none, or it may not be used for this: whoever asks for an agent learns no more than that. */
  | { readonly kind: 'not_bound' }
  /** It may be used for this host, elsewhere in the request: `where` says it in words. */
  | { readonly kind: 'misplaced'; readonly where: string };

export interface AnswerRedactor {
  /** Of the values of headers. */
  text(text: string): string;
  /** Of a whole body, after it was decompressed. */
  bytes(bytes: Uint8Array): Uint8Array;
  /** Of one that comes in parts: what can be told by now, what can be told when nothing more comes for now, and the rest. */
  stream(): { push(chunk: Uint8Array): Uint8Array; flush(): Uint8Array; end(): Uint8Array };
}

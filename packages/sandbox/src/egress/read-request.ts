/** Checks what a caller wants to send. What decides where a message begins and ends, or who gets it, is not the caller's to say. */
import { EgressRefusal, type EgressRequest } from './egress.ts';
import { readTarget, type Target } from './read-target.ts';

/** One request as it goes to one origin; a redirect makes another one. */
export type Hop = {
  readonly target: Target;
  readonly method: string;
  /** Names in lower case, each once. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
};

export type Limits = { readonly redirectsMax: number; readonly deadlineMs: number; readonly bodyBytesMax: number };

export const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const REFUSED_HEADERS: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings', 'expect'],
  ...['te', 'trailer'],
]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/i;
const HEADER_VALUE = /^[\x20-\x7e\t]*$/;
const HEADERS_MAX = 100;
const HEADER_BYTES_MAX = 32 * 1024;
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;

const DEFAULTS = { redirectsMax: 10, deadlineMs: 30_000, bodyBytesMax: 10 * 1024 * 1024 } as const satisfies Limits;
const LIMITS = {
  redirectsMax: { least: 0, most: 20 },
  deadlineMs: { least: 1, most: 3_600_000 },
  bodyBytesMax: { least: 0, most: 16 * 1024 ** 3 },
} as const;

/** Throws `EgressRefusal` with `invalid_url` or `invalid_request`. */
export function readRequest(request: EgressRequest): Hop {
  const target = readTarget(request.url);
  const method = request.method === undefined ? 'GET' : request.method;
  if (!METHODS.has(method))
    throw refuse(target, `the method is ${JSON.stringify(method)?.slice(0, 40)}, not one of ${[...METHODS].join(', ')}`);
  const { body } = request;
  if (body !== undefined && !(body instanceof Uint8Array)) throw refuse(target, 'the body is no bytes');
  if (body !== undefined && body.byteLength > 0 && (method === 'GET' || method === 'HEAD')) throw refuse(target, `a ${method} has no body`);
  if (body !== undefined && body.byteLength > REQUEST_BYTES_MAX)
    throw refuse(target, `the body has ${body.byteLength} bytes, the limit is ${REQUEST_BYTES_MAX}`);
  return { target, method, headers: readHeaders(target, request.headers), body: body?.byteLength === 0 ? undefined : body };
}

export function readLimits(request: EgressRequest, target: Target): Limits {
  const read = (name: keyof Limits): number => {
    const { least, most } = LIMITS[name];
    const value = request[name] === undefined ? DEFAULTS[name] : request[name];
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw refuse(target, `${name} is ${String(value)}, not a whole number from ${least} to ${most}`);
  };
  return { redirectsMax: read('redirectsMax'), deadlineMs: read('deadlineMs'), bodyBytesMax: read('bodyBytesMax') };
}

function readHeaders(target: Target, given: EgressRequest['headers'] = {}): ReadonlyMap<string, string> {
  if (given === null || typeof given !== 'object') throw refuse(target, 'its headers are no names and values');
  const entries = Object.entries(given);
  if (entries.length > HEADERS_MAX) throw refuse(target, `it has ${entries.length} headers, the limit is ${HEADERS_MAX}`);
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    const shown = JSON.stringify(name.slice(0, 60));
    if (!HEADER_NAME.test(name)) throw refuse(target, `${shown} is no name of a header`);
    if (REFUSED_HEADERS.has(key)) throw refuse(target, `the header ${shown} is set by the guard`);
    if (headers.has(key)) throw refuse(target, `the header ${shown} is there twice`);
    if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      throw refuse(target, `the value of header ${shown} is no line of ASCII text`);
    bytes += name.length + value.length;
    if (bytes > HEADER_BYTES_MAX) throw refuse(target, `its headers have more than ${HEADER_BYTES_MAX} bytes`);
    headers.set(key, value);
  }
  return headers;
}

function refuse({ host }: Target, why: string): EgressRefusal {
  return new EgressRefusal('invalid_request', host, `Cannot send the request to ${host}: ${why}`);
}

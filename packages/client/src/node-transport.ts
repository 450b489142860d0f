/** HTTP from Node, over a unix socket or TCP. Connections are kept for the next call. This file and `pinned-agent.ts` alone need Node, and what imports them. */
import { Agent, type AgentOptions, type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { Fault } from '@warren/protocol';
import { PinnedAgent, readFingerprint, type WhileConnecting } from './pinned-agent.ts';
import { readAddress } from './read-address.ts';
import { ANSWER_BYTES_MAX, type Transport, type WireAnswer, type WireHead, type WireRequest, type WireStream } from './transport.ts';

/** `fingerprint`: SHA-256 of the certificate of the server, which is then known by that alone. Without it, an authority that Node knows has to vouch for it. */
export type NodeAddress = { readonly socketPath: string } | { readonly url: string; readonly fingerprint?: string | undefined };

/** Calls under way at once; more wait for a connection. */
const CONNECTIONS_MAX = 64;

export class NodeTransport implements Transport {
  readonly address: string;
  readonly #options: RequestOptions;
  readonly #prefix: string;
  readonly #agent: Agent;
  /** Streams have a connection each, which must not wait for calls, nor keep them waiting. */
  readonly #streams: Agent;
  readonly #request: typeof httpRequest;

  /** Throws `invalid_argument` for an address that is none. */
  constructor(address: NodeAddress) {
    const { name, options, prefix, isTls } = 'url' in address ? ofUrl(address.url) : ofSocket(address.socketPath);
    this.address = name;
    this.#options = options;
    this.#prefix = prefix;
    const pin = 'url' in address && address.fingerprint !== undefined ? readFingerprint(address.fingerprint) : undefined;
    if (pin !== undefined && !isTls) throw new Fault('invalid_argument', `Cannot know ${name} by a certificate: it has none`);
    const open = (given: AgentOptions): Agent => {
      if (pin !== undefined) return new PinnedAgent(pin, given);
      return isTls ? new TlsAgent(given) : new Agent(given);
    };
    this.#agent = open({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: 'lifo' });
    this.#streams = open({ keepAlive: false });
    this.#request = isTls ? httpsRequest : httpRequest;
  }

  async send(request: WireRequest, signal: AbortSignal | undefined): Promise<WireAnswer> {
    return await new Promise((resolve, reject) => {
      const attempt = (): void => {
        const fail = (error: Error): void => {
          // A kept connection that the daemon had closed. Whatever was not sent whole was not carried out, so this is no second time.
          if (sent.reusedSocket && isCutOff(error) && signal?.aborted !== true) attempt();
          else reject(this.#explain(error, sent, signal));
        };
        const sent = this.#begin(request, this.#agent, signal, (answer) => {
          collect(answer).then((body) => resolve({ ...headOf(answer), body }), fail);
        });
        sent.on('error', fail).end(request.body);
      };
      attempt();
    });
  }

  async stream(request: WireRequest, signal: AbortSignal): Promise<WireStream> {
    return await new Promise((resolve, reject) => {
      const sent = this.#begin(request, this.#streams, signal, (answer) => {
        answer.setEncoding('utf8');
        resolve({ ...headOf(answer), body: this.#pieces(answer, sent, signal) });
      });
      sent.on('error', (error) => reject(this.#explain(error, sent, signal))).end(request.body);
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }

  #begin(request: WireRequest, agent: Agent, signal: AbortSignal | undefined, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
    const { method, headers, path, body } = request;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const all = { ...this.#options, agent, method, path: this.#prefix + path, headers: { ...headers, ...length } };
    const abortable: RequestOptions & WhileConnecting = { ...all, signal, whileConnecting: signal };
    return this.#request(signal === undefined ? all : abortable, onAnswer);
  }

  async *#pieces(answer: IncomingMessage, sent: ClientRequest, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    try {
      for await (const piece of answer) yield String(piece);
    } catch (error) {
      throw this.#explain(error, sent, signal);
    } finally {
      answer.destroy();
    }
  }

  #explain(error: unknown, sent: ClientRequest, signal: AbortSignal | undefined): Fault {
    if (error instanceof Fault) return error;
    if (signal?.aborted === true)
      return new Fault('aborted', `Cannot wait for ${this.address}: the caller gave up`, { cause: signal.reason });
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    // A connection there never was has carried nothing.
    const isSent = sent.socket !== null && sent.socket.connecting === false && !REFUSALS.has(errno) && !isCutOff(error);
    const why =
      REFUSALS.get(errno) ?? (isSent ? `the connection broke before the answer came (${errno})` : `it cannot be reached (${errno})`);
    return new Fault('unavailable', `Cannot talk to ${this.address}: ${why}`, {
      cause: error,
      details: { errno, is_sent: isSent, ...(CERTIFICATE_ERRORS.has(errno) && { is_certificate: true }) },
    });
  }
}

/** The other end was gone before all of the request had left. */
function isCutOff(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/** What Node says of a certificate that it does not trust. */
const CERTIFICATE_ERRORS: ReadonlyMap<string, string> = new Map([
  ...[
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ].map((errno) => [errno, 'nobody this machine trusts vouches for its certificate'] as const),
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
]);

/** What the machine says when there is no connection to begin with. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such socket'],
  ['ECONNREFUSED', 'nobody listens there'],
  ['ENOTSOCK', 'it is not a socket'],
  ['EACCES', 'this user may not use it'],
  ['EPERM', 'this user may not use it'],
  ['ENOTFOUND', 'there is no such host'],
  ...CERTIFICATE_ERRORS,
  ['EPROTO', 'it does not speak TLS'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
]);

type Place = { readonly name: string; readonly options: RequestOptions; readonly prefix: string; readonly isTls: boolean };

function ofSocket(socketPath: string): Place {
  // The name is for the Host header only, which servers check against those they know.
  return { name: `unix:${socketPath}`, options: { socketPath, host: 'localhost' }, prefix: '', isTls: false };
}

function ofUrl(text: string): Place {
  const url = readAddress(text);
  const isTls = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return {
    name: url.origin,
    options: { hostname, port: url.port === '' ? (isTls ? 443 : 80) : url.port },
    prefix: url.pathname.replace(/\/$/, ''),
    isTls,
  };
}

function headOf({ statusCode = 0, headers }: IncomingMessage): WireHead {
  return { status: statusCode, contentType: headers['content-type'] ?? '', retryAfter: headers['retry-after'] ?? '' };
}

/** Faster than iterating, which is felt in short calls. */
function collect(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk);
      else answer.destroy(new Fault('too_large', `Cannot read the answer: it is longer than ${ANSWER_BYTES_MAX} bytes`));
    });
    answer.on('error', reject);
    answer.on('end', () => resolve((chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString()));
    // When the connection is destroyed before the end of the answer there is an error too; this is for what destroys without one.
    answer.on('close', () => answer.complete || reject(new Error('closed')));
  });
}

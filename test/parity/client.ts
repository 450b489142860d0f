/**
 * A client as those of an earlier system are: JSON-RPC over `POST /rpc`, one connection for each call, its version in a header, parameters of
 * whatever types. What it is answered is held against the contract: not a key more, not a key less.
 */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { OPERATIONS, type OperationName, type Result } from '@warren/protocol/contract';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };

export type Refusal = { readonly code: number; readonly data: unknown };

type Params = Readonly<Record<string, unknown>>;
type Envelope = { readonly id: unknown; readonly result?: unknown; readonly error?: Refusal & { readonly message: string } };

const HEADERS = { 'content-type': 'application/json', 'cheetahclaws-api-version': '0' };

export class Client {
  readonly #socketPath: string;
  readonly workspace: string;
  #calls = 0;

  constructor(socketPath: string, workspace: string) {
    this.#socketPath = socketPath;
    this.workspace = workspace;
  }

  /** The result. Fails when there is none, or when it is not what the contract says. */
  async call<Name extends OperationName>(method: Name, params: Params = {}): Promise<Result<Name>> {
    const { result, error } = await this.#exchange(method, params);
    assert.equal(error, undefined, `${method} was refused: ${JSON.stringify(error)}`);
    assert.deepEqual(OPERATIONS[method].result.parse(result), result, `${method} answers with other keys than it promises`);
    return result as Result<Name>; // Its own schema has just said so.
  }

  /** The error, without its words. Fails when there is none. */
  async refused(method: string, params: Params = {}): Promise<Refusal> {
    const { result, error } = await this.#exchange(method, params);
    assert.ok(error !== undefined, `${method} was carried out: ${JSON.stringify(result)}`);
    assert.match(error.message, /^Cannot \S.*[^.]$/s);
    return { code: error.code, data: error.data };
  }

  /** Many calls in one request; their results, or errors without their words. */
  async batch(calls: readonly (readonly [method: OperationName, params: Params])[]): Promise<readonly unknown[]> {
    const requests = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    const { status, text } = await this.post(JSON.stringify(requests));
    assert.equal(status, 200);
    const answers = JSON.parse(text) as readonly Envelope[]; // Held against the requests at once.
    assert.deepEqual(
      answers.map(({ id }) => id),
      requests.map(({ id }) => id),
    );
    return answers.map(({ result, error }) => (error === undefined ? result : { code: error.code, data: error.data }));
  }

  post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send({ method: 'POST', path: '/rpc', headers }, body);
  }

  send(options: RequestOptions, body?: string | Uint8Array): Promise<Answer> {
    const place = options.port === undefined ? { socketPath: this.#socketPath } : { host: '127.0.0.1' };
    const headers = { ...HEADERS, 'warren-workspace': this.workspace, ...options.headers };
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ agent: false, ...place, ...options, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  async #exchange(method: string, params: Params): Promise<Envelope> {
    this.#calls++;
    const id = `call-${this.#calls}`;
    const { status, text } = await this.post(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    assert.equal(status, 200, text);
    const envelope = JSON.parse(text) as Envelope & { readonly jsonrpc: unknown }; // Looked at in the next lines.
    assert.deepEqual([envelope.jsonrpc, envelope.id], ['2.0', id]);
    assert.equal('result' in envelope, !('error' in envelope));
    return envelope;
  }
}

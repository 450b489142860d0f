/** A kernel on a real store, served on a real unix socket and a real port, in a directory that goes away with it. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type Kernel, type KernelOptions, openKernel, type Principal } from '@warren/kernel';
import { openPlatform, type Platform } from '@warren/platform';
import { serve } from '../http/serve.ts';
import type { Served, ServeOptions } from '../http/served.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };

export type TestGateway = AsyncDisposable & {
  readonly kernel: Kernel;
  readonly served: Served;
  /** Throws where it has none. */
  readonly platform: Platform;
  /** The audit of its platform, where it has one. */
  platformAudit(): Audit;
  readonly directory: string;
  readonly socketPath: string;
  readonly port: number;
  /** What was logged, a line each. */
  readonly logged: string[];
  /** Resolves when a line with this in it is logged, or was. */
  untilLogged(text: string): Promise<void>;
  tokenFor(principal: Principal): Promise<string>;
  /** A request as it is; over the unix socket unless `port` is given. */
  send(options: RequestOptions, body?: string | Uint8Array): Promise<Answer>;
  /** `POST /rpc` of this text. */
  post(body: string | Uint8Array, options?: RequestOptions): Promise<Answer>;
  /** One call; the parsed answer. */
  call(method: string, params?: unknown, caller?: { readonly token?: string; readonly workspace?: string }): Promise<RpcAnswer>;
};

export type RpcAnswer = {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
};

export async function openTestGateway({
  policy,
  config,
  hasPlatform = policy !== undefined || config !== undefined,
  ...options
}: Partial<Omit<ServeOptions, 'kernel' | 'platform'>> & {
  readonly kernel?: Partial<KernelOptions>;
  /** With everything that needs no sandbox. */
  readonly hasPlatform?: boolean;
  /** Of every workspace, as YAML. */
  readonly policy?: string;
  /** `config.yaml`. */
  readonly config?: string;
} = {}): Promise<TestGateway> {
  await using opening = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'warren-gateway-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const socketPath = join(directory, 'run', 'warren.sock');
  const logged: string[] = [];
  const watchers = new Set<() => void>();
  const log = (message: string, fields: object = {}): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
    for (const watcher of [...watchers]) watcher();
  };
  if (policy !== undefined) {
    mkdirSync(join(directory, 'policies'));
    writeFileSync(join(directory, 'policies', 'workspace.yaml'), policy);
  }
  if (config !== undefined) writeFileSync(join(directory, 'config.yaml'), config);
  const kernel = await openKernel({ directory, ...options.kernel });
  opening.defer(() => kernel.close());
  const openSandboxes = () => Promise.reject(new Error('there are no sandboxes here'));
  const platform = hasPlatform ? opening.use(await openPlatform({ kernel, directory, openSandboxes, isWatching: false })) : undefined;
  const served = opening.use(
    await serve({
      listen: [
        { kind: 'unix', path: socketPath },
        { kind: 'tcp', host: '127.0.0.1', port: 0 },
      ],
      version: '1.2.3',
      log: { info: log, warn: log, error: log },
      ...options,
      ...{ kernel, platform },
    }),
  );
  const agent = new Agent({ keepAlive: true });
  opening.defer(() => agent.destroy());
  const opened = opening.move();

  const send: TestGateway['send'] = (request, body) =>
    new Promise((resolve, reject) => {
      const place = request.port === undefined ? { socketPath } : { host: '127.0.0.1' };
      const sent = httpRequest({ agent, ...place, ...request }, (response) => {
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

  const post: TestGateway['post'] = (body, more = {}) =>
    send({ method: 'POST', path: '/rpc', ...more, headers: { 'content-type': 'application/json', ...more.headers } }, body);

  return {
    kernel,
    served,
    get platform() {
      if (platform === undefined) throw new Error('It has no platform');
      return platform;
    },
    platformAudit() {
      if (platform === undefined) throw new Error('It has no platform');
      return platform.audit;
    },
    directory,
    socketPath,
    port: Number(/:(\d+)$/.exec(served.addresses.at(-1) ?? '')?.[1]),
    logged,
    untilLogged: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!logged.some((line) => line.includes(text))) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    send,
    post,
    tokenFor: async (principal) => (await kernel.tokens.create(principal)).token,
    async call(method, params, { token, workspace } = {}) {
      const headers = {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(workspace !== undefined && { 'warren-workspace': workspace }),
      };
      const answer = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), { headers });
      return JSON.parse(answer.text) as RpcAnswer; // What a JSON-RPC server answers.
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

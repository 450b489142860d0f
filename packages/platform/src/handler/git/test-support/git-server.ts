/** A real git server on loopback: `git http-backend` behind node's HTTP. What it is asked is noted, and it can be told to misbehave. */
import { execFileSync, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TemporaryDirectory } from '@warren/testkit';

export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

export class GitServer implements AsyncDisposable {
  readonly asked: string[] = [];
  /** Returns whether it has answered. */
  misbehave: Misbehaviour = () => false;
  readonly #server: Server;
  readonly #temporary: TemporaryDirectory;

  private constructor(server: Server, temporary: TemporaryDirectory) {
    this.#server = server;
    this.#temporary = temporary;
  }

  static async start(): Promise<GitServer> {
    const temporary = await TemporaryDirectory.create();
    const server = createServer();
    const git = new GitServer(server, temporary);
    server.on('request', (request, response) => {
      git.asked.push(`${request.method} ${request.url}`);
      if (!git.misbehave(request, response)) runBackend(temporary.path, request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return git;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Makes a bare repository with one commit; its URL. */
  repository(name: string, files: Readonly<Record<string, string>> = { 'a.txt': '1\n2\n3\n' }): string {
    const path = this.#temporary.join(name);
    this.git(['init', '--quiet', '--bare', '--initial-branch=main', path]);
    this.git(['-C', path, 'config', 'http.receivepack', 'true']);
    const stream = Object.entries(files).map(([file, text]) => `M 100644 inline ${file}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
    const head = 'commit refs/heads/main\ncommitter s <s@s> 1700000000 +0000\ndata 5\nfirst\n';
    this.git(['-C', path, 'fast-import', '--quiet'], `${head}${stream.join('')}\n`);
    return `${this.origin}/${name}`;
  }

  /** Of a repository, on the host. */
  path(name: string): string {
    return this.#temporary.join(name);
  }

  git(args: readonly string[], input?: string): string {
    const env = { PATH: process.env['PATH'], HOME: this.#temporary.path, GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', args, { env, encoding: 'utf8', ...(input === undefined ? {} : { input }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#temporary[Symbol.asyncDispose]();
  }
}

function runBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://host');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      HOME: root,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => {}); // It may end before it has read all.
  request.pipe(backend.stdin);
  let head = Buffer.alloc(0);
  let isOpen = false;
  backend.stdout.on('data', (chunk: Buffer) => {
    if (isOpen) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    isOpen = true;
    const lines = head.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
    const { Status: status = '200', ...rest } = headers;
    response.writeHead(Number.parseInt(status, 10), rest);
    response.write(head.subarray(end + 4));
  });
  backend.on('close', () => response.end());
}

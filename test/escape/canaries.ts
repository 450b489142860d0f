/**
 * What nobody inside may find: a file, a secret in the environment of the host's processes, an open descriptor, a process, services on TCP and unix
 * sockets, System V and POSIX objects. All of them are open to everybody, so that nothing but the walls stands between.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';

/** Where `mountDirectory` is seen inside. */
export const CANARY_MOUNT = '/mnt/canary';

export class Canaries implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  /** Holds `public` (0666), `private` (0600) and, made by root, `device` (the one of /dev/zero, 0666). */
  readonly mountDirectory: string;
  readonly file: string;
  readonly secret: string;
  /** Tells attempts what to look for. The secret is not among it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Connections that came from inside, and none may. */
  readonly visitors: readonly string[];
  readonly #servers: readonly Server[];
  readonly #process: ChildProcess;
  readonly #descriptor: number;

  private constructor(parts: Parts) {
    this.directory = parts.directory;
    this.mountDirectory = parts.directory.join('mounted');
    this.file = parts.directory.join('secret');
    this.secret = parts.secret;
    this.environment = parts.environment;
    this.visitors = parts.visitors;
    this.#servers = parts.servers;
    this.#process = parts.process;
    this.#descriptor = openSync(this.file, 'r');
  }

  static async open(attackDirectory: string): Promise<Canaries> {
    const directory = await TemporaryDirectory.create();
    const token = randomBytes(8).toString('hex');
    const secret = `warren-secret-${token}`;
    const key = String(randomBytes(4).readUInt32LE() & 0x7fffffff);
    const queue = `/warren-escape-${token}`;
    const abstract = `warren-escape-${token}`;
    const visitors: string[] = [];
    layOutFiles(directory.path, secret);
    process.env['WARREN_ESCAPE_SECRET'] = secret;
    const servers = [
      await listen(visitors, 'tcp', { port: 0, host: '::' }),
      await listen(visitors, 'abstract', { path: `\0${abstract}` }),
      await listen(visitors, 'path', { path: directory.join('socket'), readableAll: true, writableAll: true }),
    ];
    const canary = await startProcess(attackDirectory, key, queue, secret);
    const address = servers[0]?.address();
    const environment = {
      CANARY_FILE: directory.join('secret'),
      CANARY_MOUNT,
      CANARY_MOUNTED_FILE: join(CANARY_MOUNT, 'public'),
      CANARY_PRIVATE_FILE: join(CANARY_MOUNT, 'private'),
      CANARY_DEVICE: join(CANARY_MOUNT, 'device'),
      CANARY_PID: String(canary.pid),
      CANARY_PORT: typeof address === 'object' && address !== null ? String(address.port) : '',
      CANARY_ABSTRACT: abstract,
      CANARY_SOCKET: directory.join('socket'),
      CANARY_IPC_KEY: key,
      CANARY_QUEUE: queue,
      HOST_ADDRESS: ownAddress(),
      HOST_NAME: hostname(),
    };
    return new Canaries({ directory, secret, environment, visitors, servers, process: canary });
  }

  /** What was done to them, in words; empty: nothing. */
  harm(): readonly string[] {
    const harm = this.visitors.map((name) => `somebody connected to the ${name} service`);
    if (readFileSync(this.file, 'utf8') !== this.secret) harm.push('the file was changed');
    if (readFileSync(join(this.mountDirectory, 'public'), 'utf8') !== publicContent()) harm.push('the mounted file was changed');
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) harm.push('the process was ended');
    return harm;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    delete process.env['WARREN_ESCAPE_SECRET'];
    const closed = this.#servers.filter((server) => server.listening).map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    await Promise.all(closed);
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.stdin?.end(); // It removes what it holds.
      await ended;
      closeSync(this.#descriptor);
    }
    await this.directory[Symbol.asyncDispose]();
  }
}

type Parts = Pick<Canaries, 'directory' | 'secret' | 'environment' | 'visitors'> & {
  readonly servers: readonly Server[];
  readonly process: ChildProcess;
};

function layOutFiles(directory: string, secret: string): void {
  const mounted = join(directory, 'mounted');
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'secret'), secret);
  mkdirSync(mounted);
  writeFileSync(join(mounted, 'public'), publicContent());
  chmodSync(join(mounted, 'public'), 0o666);
  writeFileSync(join(mounted, 'private'), 'private', { mode: 0o600 });
  // Only root can make one; without it the attempt to open it finds nothing.
  if (process.getuid?.() === 0) execFileSync('mknod', ['-m', '666', join(mounted, 'device'), 'c', '1', '5']);
}

function publicContent(): string {
  return 'the mounted file '.repeat(400); // More than a page.
}

async function listen(visitors: string[], name: string, options: Parameters<Server['listen']>[0]): Promise<Server> {
  const server = createServer((socket) => {
    visitors.push(name);
    socket.destroy();
  });
  server.listen(options);
  await once(server, 'listening');
  return server;
}

async function startProcess(attackDirectory: string, key: string, queue: string, secret: string): Promise<ChildProcess> {
  const started = spawn(join(attackDirectory, 'attack'), ['--canary', key, queue], {
    argv0: 'warren-escape-canary',
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { WARREN_ESCAPE_SECRET: secret },
  });
  const [line] = (await once(started.stdout ?? started, 'data')) as [Buffer]; // 'pipe' makes it a stream of bytes.
  if (line.toString() !== 'ready\n') throw new Error(`The canary process says ${line.toString()}`);
  return started;
}

/** One of the machine's own addresses, so that reaching it does not need a network. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.2';
}

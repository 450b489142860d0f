/** Agents behind the real gate: a kernel on a real store, the platform on it, real sandboxes and a real audit, in a directory of their own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { type Answer, type CallRequest, type GrantSet, type Kernel, openKernel } from '@warren/kernel';
import { openPlatform, type Platform } from '@warren/platform';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, expect } from 'vitest';

/** What is in the state directory before it is opened, by name. */
export type StateFiles = Readonly<Record<string, string>>;

/** Without grants: everything, in the whole workspace, and no host. */
export type AgentGrants = Partial<GrantSet>;

/** Nothing is asked and nothing is refused but what grants and the built-in rules refuse. */
const OPEN_POLICY: StateFiles = { 'policies/system.yaml': 'default: autonomous\n' };

const EVERYTHING: GrantSet = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: [], models: [], subAgents: false };

type CallOptions = Omit<CallRequest, 'pid' | 'capability' | 'input'>;

/** An agent and what it does. */
export class Agent {
  readonly #agents: Agents;
  readonly name: string;
  readonly pid: number;

  constructor(agents: Agents, name: string, pid: number) {
    this.#agents = agents;
    this.name = name;
    this.pid = pid;
  }

  ask(capability: string, input: JsonObject = {}, options: CallOptions = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#agents.platform.gate.call(DEFAULT_WORKSPACE, { pid: this.pid, capability, input, ...options }, signal);
  }

  /** What it is answered. Fails when it is not. */
  async call(capability: string, input: JsonObject = {}): Promise<JsonObject> {
    const answer = await this.ask(capability, input);
    if (answer.kind !== 'done') throw new Error(`${capability} was not done: ${JSON.stringify(answer)}`);
    return answer.output;
  }

  /** The type of the error it is answered, or `none`. */
  async errorOf(capability: string, input: JsonObject = {}): Promise<string> {
    const answer = await this.ask(capability, input);
    return answer.kind === 'failed' ? answer.error.type : 'none';
  }

  /** Several calls, and the type of error of each. */
  async errorsOf(calls: readonly (readonly [capability: string, input: JsonObject])[]): Promise<readonly string[]> {
    const errors: string[] = [];
    for (const [capability, input] of calls) errors.push(await this.errorOf(capability, input));
    return errors;
  }

  /** A script in its sandbox; what it printed. */
  async shell(script: string): Promise<string> {
    const { exit_code, stdout_summary, stderr_summary } = await this.call('process.run', { command: 'sh', args: ['-ec', script] });
    expect(exit_code, String(stderr_summary)).toBe(0);
    return String(stdout_summary);
  }
}

export class Agents implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  #running: { readonly kernel: Kernel; readonly platform: Platform } | undefined;
  #started = 0;

  private constructor(directory: TemporaryDirectory) {
    this.directory = directory;
  }

  /** `prepare` is given the state directory before anything is opened. */
  static async open(files: StateFiles = OPEN_POLICY, prepare: (directory: string) => void = () => {}): Promise<Agents> {
    const agents = new Agents(await TemporaryDirectory.create());
    for (const [name, text] of Object.entries(files)) agents.write(name, text);
    prepare(agents.directory.path);
    await agents.#open();
    return agents;
  }

  get kernel(): Kernel {
    return this.#parts.kernel;
  }

  get platform(): Platform {
    return this.#parts.platform;
  }

  get mine() {
    return this.kernel.workspace(DEFAULT_WORKSPACE);
  }

  /** What agents see as `/workspace`. */
  files(...names: readonly string[]): string {
    return this.directory.join('workspaces', DEFAULT_WORKSPACE, 'files', ...names);
  }

  /** A file in the state directory. */
  write(name: string, text: string): void {
    mkdirSync(dirname(this.directory.join(name)), { recursive: true });
    writeFileSync(this.directory.join(name), text);
  }

  /** An agent of a name of its own, or of this one. */
  async agent(grants: AgentGrants = {}, name = `agent${++this.#started}`, budgets: Readonly<Record<string, number>> = {}): Promise<Agent> {
    const all = { ...EVERYTHING, ...grants };
    const { pid } = await this.platform.agents.start(DEFAULT_WORKSPACE, { agent: name, grants: all, budgets });
    return new Agent(this, name, pid);
  }

  /** As after an update: what was on disk is all there is. */
  async restart(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.directory[Symbol.asyncDispose]();
  }

  get #parts(): { readonly kernel: Kernel; readonly platform: Platform } {
    if (this.#running === undefined) throw new Error('There is no platform open');
    return this.#running;
  }

  async #open(): Promise<void> {
    const directory = this.directory.path;
    const kernel = await openKernel({ directory });
    try {
      const platform = await openPlatform({ kernel, directory, openSandboxes: () => openSandboxes({ spares: 1 }), version: '1.2.3' });
      this.#running = { kernel, platform };
    } catch (error) {
      await kernel.close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.platform[Symbol.asyncDispose]();
    await running?.kernel.close();
  }
}

/** One platform for all tests of a file; each starts agents of its own. */
export function shareAgents(files?: StateFiles): () => Agents {
  let agents: Agents | undefined;
  beforeAll(async () => {
    agents = await Agents.open(files);
  });
  afterAll(() => agents?.[Symbol.asyncDispose]());
  return () => {
    if (agents === undefined) throw new Error('There is no platform yet');
    return agents;
  };
}

/** A server on loopback, and what it was asked. */
export class LocalServer implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(listener: RequestListener) {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      listener(request, response);
    });
  }

  static async start(listener: RequestListener): Promise<LocalServer> {
    const local = new LocalServer(listener);
    await new Promise<void>((resolve) => local.#server.listen(0, '127.0.0.1', resolve));
    return local;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // It listens on a port.
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A daemon whose gate is tried: with the tool where the tool is tried, else over its socket. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Client, connect } from '@warren/client';
import type { CallAnswer, ParamsInput } from '@warren/protocol/contract';
import { TestDaemon } from './daemon.ts';
import { type Options, type Result, SHIPPED, User } from './warren.ts';

type Input = ParamsInput<'call.make'>['input'];

export class GateDaemon implements AsyncDisposable {
  readonly user: User;
  #daemon: TestDaemon;
  #client: Client;

  private constructor(user: User, daemon: TestDaemon) {
    this.user = user;
    this.#daemon = daemon;
    this.#client = GateDaemon.#connect(user);
  }

  /** `prepare`: what is to be there before it starts. */
  static async start(args: readonly string[] = ['--no-tcp'], prepare: (user: User) => void = () => {}): Promise<GateDaemon> {
    const user = await User.create(SHIPPED);
    try {
      prepare(user);
      return new GateDaemon(user, await TestDaemon.start(user, args));
    } catch (error) {
      await user[Symbol.asyncDispose]();
      throw error;
    }
  }

  static #connect(user: User): Client {
    return connect({ socketPath: join(user.state, 'warren.sock') });
  }

  get daemon(): TestDaemon {
    return this.#daemon;
  }

  /** An operator. */
  get client(): Client {
    return this.#client;
  }

  path(...parts: readonly string[]): string {
    return join(this.user.state, ...parts);
  }

  /** Runs the tool to its end. */
  async warren(args: readonly string[], options?: Options): Promise<Result> {
    return await this.user.warren(args, options);
  }

  /** What it prints with `--json`; it has to succeed. */
  async json<T = Record<string, unknown>>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.warren([...args, '--json']);
    if (code !== 0) throw new Error(`warren ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as T; // Whoever asks says what it is.
  }

  /** The same, however it ends. */
  async outcome(args: readonly string[]): Promise<{ readonly code: number | null; readonly document: unknown; readonly stderr: string }> {
    const { code, stdout, stderr } = await this.warren([...args, '--json']);
    return { code, document: JSON.parse(stdout), stderr };
  }

  /** Its pid. */
  async startAgent(agent: string, grants: Partial<ParamsInput<'agent.start'>> = {}): Promise<number> {
    const usual = { tool_grants: ['*'], fs_grants: [{ prefix: '/workspace', mode: 'rw' as const }] };
    return (await this.#client.call('agent.start', { agent, ...usual, ...grants })).pid;
  }

  async call(pid: number, capability: string, input: Input = {}, more: Partial<ParamsInput<'call.make'>> = {}): Promise<CallAnswer> {
    return await this.#client.call('call.make', { pid, capability, input, ...more });
  }

  /** Writes a policy file and has it read. */
  async setPolicy(text: string, file = 'workspace.yaml'): Promise<void> {
    const path = this.path('policies', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    await this.#client.call('policy.reload', {});
  }

  /** As the machine might; it is then started again on the same state. */
  async killAndStart(args: readonly string[] = ['--no-tcp']): Promise<void> {
    await this.#daemon.kill('SIGKILL');
    await this.start(args);
  }

  /** In order. */
  async stop(): Promise<void> {
    await this.#daemon.kill('SIGTERM');
  }

  /** On the same state; it has to have ended. */
  async start(args: readonly string[] = ['--no-tcp']): Promise<void> {
    await this.#client.close();
    this.#daemon = await TestDaemon.start(this.user, args);
    this.#client = GateDaemon.#connect(this.user);
  }

  /** Resolves when its log has said this from now on. Ask before doing what makes it say so. */
  says(text: string): Promise<void> {
    return new Promise((done) => {
      let seen = '';
      const onData = (chunk: Buffer): void => {
        seen += chunk.toString();
        if (!seen.includes(text)) return;
        this.#daemon.child.stderr.off('data', onData);
        done();
      };
      this.#daemon.child.stderr.on('data', onData);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#daemon[Symbol.asyncDispose]();
    await this.user[Symbol.asyncDispose]();
  }
}

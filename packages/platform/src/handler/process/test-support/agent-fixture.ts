/** An agent with a real sandbox over a temporary workspace, and calls of handlers on its behalf. */
import { chmodSync, mkdirSync } from 'node:fs';
import { NO_FACTS, type WorkspaceKernel } from '@warren/kernel';
import type { JsonObject, WorkspaceId } from '@warren/protocol';
import { type Egress, openSandboxes, type Sandbox, type Sandboxes, type SandboxSpec } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import type { BackgroundCommands } from '../../../agent/background-commands.ts';
import { createBackgroundCommands } from '../../../agent/create-background-commands.ts';
import { CapabilityError, type HandlerContext, type HandlerResult, type Handlers } from '../../../capability/handler.ts';

export type CallOptions = {
  readonly signal?: AbortSignal;
  readonly egress?: Egress;
  readonly hosts?: readonly string[];
  readonly agent?: string;
  readonly progress?: HandlerContext['progress'];
};

export class AgentFixture implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly background: BackgroundCommands;
  /** `/workspace`, on the host. */
  readonly directory: string;
  readonly #sandboxes: Sandboxes;
  readonly #temporary: TemporaryDirectory;

  private constructor(sandboxes: Sandboxes, sandbox: Sandbox, temporary: TemporaryDirectory) {
    this.#sandboxes = sandboxes;
    this.#temporary = temporary;
    this.sandbox = sandbox;
    this.directory = temporary.join('workspace');
    let id = 0;
    this.background = createBackgroundCommands({ sandbox, now: () => Date.now(), nextId: () => ++id });
  }

  static async start(
    spec: SandboxSpec = {},
    kind: 'writable' | 'read_only' = 'writable',
    fill?: (directory: string) => void,
  ): Promise<AgentFixture> {
    const temporary = await TemporaryDirectory.create();
    const directory = temporary.join('workspace');
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    fill?.(directory);
    const sandboxes = await openSandboxes({ spares: 0 });
    return new AgentFixture(sandboxes, await sandboxes.start({ ...spec, workspace: { kind, directory } }), temporary);
  }

  /** What the handler answers. */
  async act(handlers: Handlers, name: string, input: JsonObject, options: CallOptions = {}): Promise<HandlerResult> {
    const handler = handlers[name];
    if (handler === undefined) throw new Error(`There is no handler of ${name}`);
    return await handler(input, this.#context(input, options));
  }

  /** As `act`, only its output. */
  async call(handlers: Handlers, name: string, input: JsonObject, options: CallOptions = {}): Promise<Record<string, unknown>> {
    return { ...(await this.act(handlers, name, input, options)).output };
  }

  /** The error the call ends with. */
  async fail(handlers: Handlers, name: string, input: JsonObject, options: CallOptions = {}): Promise<CapabilityError> {
    const outcome = await this.act(handlers, name, input, options).catch((error: unknown) => error);
    if (outcome instanceof CapabilityError) return outcome;
    throw outcome instanceof Error ? outcome : new Error(`${name} succeeded: ${JSON.stringify(outcome)}`);
  }

  /** A shell script in the sandbox; its stdout. */
  async shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { exit, stdout, stderr } = await this.sandbox.run(['sh', '-ec', script], { env, cwd: '/workspace' });
    if (exit.kind === 'exited' && exit.code === 0) return Buffer.from(stdout).toString('utf8');
    throw new Error(`The script failed: ${JSON.stringify(exit)} ${Buffer.from(stderr).toString('utf8')}`);
  }

  #context(input: JsonObject, { signal, egress, hosts = [], agent = 'ada', progress = () => {} }: CallOptions): HandlerContext {
    return {
      actor: { workspace: 'acme' as WorkspaceId, pid: 7, agent }, // Nothing here looks at it.
      callId: 'call_1',
      input,
      taint: [],
      facts: NO_FACTS,
      signal: signal ?? new AbortController().signal,
      deadlineAt: Date.now() + 600_000,
      progress,
      redact: (text) => text.replaceAll('a-value-of-the-vault', '[redacted:it]'),
      mine: undefined as unknown as WorkspaceKernel, // Commands need nothing of it.
      sandbox: async () => ({ sandbox: this.sandbox, background: this.background, [Symbol.asyncDispose]: async () => {} }),
      egress: egress as Egress, // Whoever reaches the network hands it in.
      hosts,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
    await this.#sandboxes[Symbol.asyncDispose]();
    await this.#temporary[Symbol.asyncDispose]();
  }
}

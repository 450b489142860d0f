/** Handlers of what Warren keeps, on a real kernel whose time a test owns. Inputs go through their definition, and outputs and errors are held to it. */
import { type Kernel, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject, type WorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect } from 'vitest';
import { checkOutput } from '../../capability/check-output.ts';
import { createCapability } from '../../capability/create-capability.ts';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import type { DefinitionSet } from '../../capability/load-definitions.ts';
import { shippedDefinitions } from '../../capability/shipped-definitions.ts';

export type Caller = { readonly workspace: WorkspaceId; readonly pid: number; readonly agent: string };

export class HandlerHost implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly #handlersOf: (host: HandlerHost) => Handlers;
  readonly #definitions: DefinitionSet;
  #kernel: Kernel | undefined;
  #calls = 0;
  /** Advances only when a test moves it. */
  time = 1_800_000_000_000;

  private constructor(directory: TemporaryDirectory, definitions: DefinitionSet, handlersOf: (host: HandlerHost) => Handlers) {
    this.directory = directory;
    this.#definitions = definitions;
    this.#handlersOf = handlersOf;
  }

  static async open(handlersOf: (host: HandlerHost) => Handlers): Promise<HandlerHost> {
    const host = new HandlerHost(await TemporaryDirectory.create(), await shippedDefinitions(), handlersOf);
    await host.reopen();
    return host;
  }

  readonly now = (): number => this.time;

  get kernel(): Kernel {
    if (this.#kernel === undefined) throw new Error('the kernel is closed');
    return this.#kernel;
  }

  mine(workspace: WorkspaceId = DEFAULT_WORKSPACE) {
    return this.kernel.workspace(workspace);
  }

  /** As a restart does. */
  async reopen(): Promise<void> {
    await this.#kernel?.close();
    this.#kernel = await openKernel({ directory: this.directory.path, clock: { now: this.now } });
  }

  /** A process of this agent; empty: of none. */
  async start(agent: string, workspace: WorkspaceId = DEFAULT_WORKSPACE): Promise<Caller> {
    const request = { name: 'test', template: 'test', ...(agent === '' ? {} : { agent }) };
    const { pid } = await this.mine(workspace).processes.create(request);
    return { workspace, pid, agent };
  }

  async end({ workspace, pid }: Caller): Promise<void> {
    await this.mine(workspace).processes.end(pid, 'completed');
  }

  async call(caller: Caller, name: string, input: JsonObject = {}, signal = new AbortController().signal): Promise<JsonObject> {
    const answer = await this.ask(caller, name, input, signal);
    if (answer.kind === 'failed') throw new Error(`${name} failed: ${answer.error.type}: ${answer.error.message}`);
    return answer.output;
  }

  async errorOf(caller: Caller, name: string, input: JsonObject = {}): Promise<string> {
    const answer = await this.ask(caller, name, input, new AbortController().signal);
    return answer.kind === 'failed' ? answer.error.type : 'none';
  }

  async ask(actor: Caller, name: string, input: JsonObject, signal: AbortSignal) {
    const definition = this.#definitions.definitions.get(name);
    const handler = this.#handlersOf(this)[name];
    if (definition === undefined || handler === undefined) throw new Error(`there is no ${name}`);
    const capability = createCapability({
      definition,
      sharedErrors: this.#definitions.sharedErrors,
      act: async (context) =>
        await handler(context.input, {
          ...context,
          mine: this.mine(actor.workspace),
          sandbox: async () => {
            throw new CapabilityError('ServiceUnavailable', 'There is no sandbox here');
          },
          egress: {} as HandlerContext['egress'], // Nothing here reaches it.
          hosts: [],
        }),
    });
    const parsed = capability.parse(input);
    if (parsed.kind === 'invalid')
      return { kind: 'failed', error: { type: 'InvalidInput', message: JSON.stringify(parsed.problems) } } as const;
    const facts = capability.facts(parsed.input);
    const callId = `call_${String(++this.#calls).padStart(8, '0')}`;
    const about = {
      actor,
      callId,
      input: parsed.input,
      facts,
      taint: [],
      signal,
      deadlineAt: this.time + 60_000,
      progress: () => {},
      redact: (text: string) => text,
    };
    const acted = await capability.act(about);
    if (acted.kind === 'done')
      expect(checkOutput(definition.outputs, JSON.parse(JSON.stringify(acted.output)) as JsonObject, true)).toEqual([]);
    return acted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kernel?.close();
    await this.directory[Symbol.asyncDispose]();
  }
}

/** A kernel, sandboxes and one process with grants, as a handler finds them: all of it real. */
import { mkdirSync } from 'node:fs';
import type { Kernel } from '@warren/kernel';
import { NO_FACTS, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import type { Limits, Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { type AgentSandboxLimits, createAgentSandboxes, type OwnedAgentSandboxes } from '../../agent/create-agent-sandboxes.ts';
import type { PathGrant } from '../../agent/path-grant.ts';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { createCodeHandlers } from '../code/code-handlers.ts';
import { createFilesystemHandlers } from '../filesystem/filesystem-handlers.ts';
import { Watches, type WatchLimits } from '../filesystem/watches.ts';
import { type WorkerLimits, Workers } from '../internal/workers.ts';

export type AgentHostOptions = {
  readonly sandboxes: Sandboxes;
  readonly limits?: Partial<AgentSandboxLimits>;
  readonly sandboxLimits?: Limits;
  readonly watchLimits?: Partial<WatchLimits>;
  readonly workerLimits?: Partial<WorkerLimits>;
};

export class AgentHost implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly kernel: Kernel;
  readonly agents: OwnedAgentSandboxes;
  readonly watches: Watches;
  readonly handlers: Handlers;
  readonly workers: Workers;
  /** Advances only when a test moves it. */
  time = 1_800_000_000_000;

  private constructor(directory: TemporaryDirectory, kernel: Kernel, options: AgentHostOptions) {
    this.directory = directory;
    this.kernel = kernel;
    const now = (): number => this.time;
    this.agents = createAgentSandboxes({
      sandboxes: options.sandboxes,
      workspace: (id) => kernel.workspace(id),
      directoryOf: () => this.files,
      onCommit: (listener) => kernel.store.onCommit(listener),
      now,
      limits: options.limits,
      sandboxLimits: options.sandboxLimits,
    });
    this.workers = new Workers({ limits: options.workerLimits });
    this.watches = new Watches({ sandboxes: this.agents, now, limits: options.watchLimits });
    const parts = { workers: this.workers, now };
    this.handlers = {
      ...createFilesystemHandlers({ ...parts, sandboxes: this.agents, watches: this.watches }),
      ...createCodeHandlers(parts),
    };
  }

  static async open(options: AgentHostOptions): Promise<AgentHost> {
    const directory = await TemporaryDirectory.create();
    mkdirSync(directory.join('files'));
    mkdirSync(directory.join('state'));
    return new AgentHost(directory, await openKernel({ directory: directory.join('state') }), options);
  }

  /** What agents see as `/workspace`. */
  get files(): string {
    return this.directory.join('files');
  }

  get mine() {
    return this.kernel.workspace(DEFAULT_WORKSPACE);
  }

  /** A process with these paths; absent: all of the workspace. */
  async process(paths: readonly PathGrant[] = [{ prefix: '/workspace', mode: 'rw' }]): Promise<number> {
    const { pid } = await this.mine.processes.create({ name: 'test', template: 'test' });
    await this.mine.grants.create(pid, { paths, tools: ['*'] });
    return pid;
  }

  /** Calls a handler as the gate would: the input is what its definition makes of it. */
  async call(pid: number, capability: string, input: JsonObject, signal: AbortSignal = new AbortController().signal): Promise<JsonObject> {
    const handler = this.handlers[capability];
    if (handler === undefined) throw new Error(`there is no handler of ${capability}`);
    await using held = await this.agents.open(DEFAULT_WORKSPACE, pid, signal);
    const unused = (): never => {
      throw new Error('not for files');
    };
    const context: HandlerContext = {
      actor: { workspace: DEFAULT_WORKSPACE, pid, agent: 'tester' },
      callId: 'call',
      input,
      taint: [],
      facts: NO_FACTS,
      signal,
      deadlineAt: this.time + 60_000,
      progress: () => {},
      redact: (text) => text,
      mine: this.mine,
      sandbox: async () => held,
      egress: { request: unused } as unknown as HandlerContext['egress'],
      hosts: [],
    };
    const { output } = await handler({ ...DEFAULTS[capability], ...input }, context);
    return output;
  }

  /** The type of the error, or `none`. */
  async errorOf(pid: number, capability: string, input: JsonObject): Promise<string> {
    try {
      await this.call(pid, capability, input);
      return 'none';
    } catch (error) {
      if (error instanceof CapabilityError) return error.type;
      throw error;
    }
  }

  async shell(pid: number, script: string): Promise<string> {
    await using held = await this.agents.open(DEFAULT_WORKSPACE, pid);
    const { stdout, stderr, exit } = await held.sandbox.run(['sh', '-c', script], { cwd: '/' });
    if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`the script failed: ${JSON.stringify(exit)} ${Buffer.from(stderr)}`);
    return Buffer.from(stdout).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watches[Symbol.asyncDispose]();
    await this.workers[Symbol.asyncDispose]();
    await this.agents[Symbol.asyncDispose]();
    await this.kernel.close();
    await this.directory[Symbol.asyncDispose]();
  }
}

/** Defaults of the definitions. */
const DEFAULTS: Readonly<Record<string, JsonObject>> = {
  'filesystem.read': { encoding: 'utf-8', offset: 0, limit: 524_288 },
  'filesystem.write': { encoding: 'utf-8', create_parents: false },
  'filesystem.edit': { regex: false, replace_all: false, include_all: false, dry_run: false },
  'filesystem.list': { include_hidden: false, sort_by: 'name', limit: 1_000 },
  'filesystem.mkdir': { create_parents: true },
  'filesystem.move': { overwrite: false },
  'filesystem.copy': { overwrite: false },
  'filesystem.search': { max_results: 100, include_hidden: false, include_hash: false, max_hash_bytes: 10_485_760 },
  'filesystem.search_content': {
    regex: false,
    include_hidden: false,
    total_only: false,
    files_only: false,
    max_results: 100,
    context_lines: 2,
  },
  'filesystem.watch': { recursive: false, event_types: ['create', 'modify', 'delete', 'rename'] },
  'code.glob': { path: '/workspace', max_results: 1_000, include_ignored: false, sort_by: 'path' },
  'code.grep': {
    path: '/workspace',
    fixed: false,
    ignore_case: false,
    word: false,
    multiline: false,
    before: 0,
    after: 0,
    mode: 'lines',
    max_results: 200,
    include_ignored: false,
  },
  'code.diff': { context_lines: 3 },
  'code.outline': { max_depth: 4, max_nodes: 1_000 },
  'code.patch': { path: '/workspace', strip: null, reverse: false, dry_run: false },
};

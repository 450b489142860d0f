/** How Warren's own capabilities are carried out. Only the gate calls handlers; they are handed to it once, in `platform.ts`. */
import type { ActContext, Usage, WorkspaceKernel } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import type { Egress } from '@warren/sandbox';
import type { AgentSandbox, AgentSandboxes } from '../agent/agent-sandboxes.ts';

/** Everything a handler may use for a call. What is not here it cannot reach. */
export type HandlerContext = ActContext & {
  /** The kernel's parts of the caller's workspace. */
  readonly mine: WorkspaceKernel;
  /** The caller's sandbox; started when it is first asked for. Faults: those of starting a sandbox. */
  sandbox(): Promise<AgentSandbox>;
  readonly egress: Egress;
  /** What the caller may reach over the network, from its grants. */
  readonly hosts: readonly string[];
};

/** Returns the output; throws `CapabilityError` for what the definition's errors name. */
export type Handler<Input extends JsonObject = JsonObject> = (input: Input, context: HandlerContext) => Promise<HandlerResult>;

export type HandlerResult = {
  readonly output: JsonObject;
  /** What it used beyond what the gate measures itself (wall time, the call). */
  readonly usage?: Usage | undefined;
  /** Labels beyond those of the definition. */
  readonly taint?: readonly string[] | undefined;
};

/** A table from capability names to their handlers; each category is one. */
export type Handlers = Readonly<Record<string, Handler>>;

/** What a category needs once, from `platform.ts`. */
export type HandlerParts = {
  readonly sandboxes: AgentSandboxes;
  readonly egress: Egress;
};

/** An error that the definition names: an outcome. Recovery steps and wording come from the definition unless they are given here. */
export class CapabilityError extends Error {
  override readonly name = 'CapabilityError';
  readonly type: string;
  readonly agentMessage: string | undefined;
  readonly context: JsonObject | undefined;
  readonly retryAfterMs: number | undefined;
  readonly usage: Usage | undefined;

  constructor(
    type: string,
    message: string,
    options: {
      readonly agentMessage?: string | undefined;
      readonly context?: JsonObject | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly usage?: Usage | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.type = type;
    this.agentMessage = options.agentMessage;
    this.context = options.context;
    this.retryAfterMs = options.retryAfterMs;
    this.usage = options.usage;
  }
}

/** Warren behind the protocol: the capabilities of a process as tools, the files of its workspace as resources. Each use of either is a call through the gate. */
import type { Answer, CallRequest, Kernel } from '@warren/kernel';
import { capabilityName, type Definition, type Platform } from '@warren/platform';
import { isFault, type JsonObject } from '@warren/protocol';
import type { Seat } from '../../caller/seats.ts';
import { toCallError } from '../../operations/record/call.ts';
import { CALL_RESULT, CALL_RESULT_TOOL, readCallResult } from '../../tools/call-result-tool.ts';
import { toolOf } from '../../tools/tool-of.ts';
import { invalidParams } from '../engine/mcp-error.ts';
import type { HostChange, HostRequest, McpHost, McpPrompts, McpResources, McpTools, Outcome, Page } from '../host.ts';
import { toToolResult } from './call-answer.ts';
import { awaitCall, type Held, type HeldCallParts, holdCall } from './held-call.ts';
import type { OfferChanges } from './offer-changes.ts';
import { createSkillPrompts } from './skill-prompts.ts';
import { createWorkspaceFiles } from './workspace-files.ts';

export type WarrenHostParts = {
  readonly kernel: Kernel;
  readonly platform: Platform;
  readonly version: string;
  readonly changes: OfferChanges;
  readonly holdMs: () => number;
  readonly stopping: AbortSignal;
};

/** One caller. */
export type HostedCaller = {
  readonly seat: Seat;
  /** Of now: an agent may be started anew while it is connected. */
  readonly findSeat: () => Promise<Seat>;
  /** Whose newest process it is; undefined for a process that acts as itself. */
  readonly agent: string | undefined;
  readonly via: CallRequest['via'];
  /** One of those for calls that wait. Throws `busy`. */
  readonly takePlace: () => Disposable;
};

const PAGE = 500;
const PROGRESS_MS = 100;

const INSTRUCTIONS =
  'Tools of Warren, an operating system for agents. Files are those of /workspace. Every call is decided by policy, held to what this agent was granted, and recorded. ' +
  'A failed call answers JSON with a type, what happened, and what to do next. Calls that a person has to approve answer ApprovalPending: ask later with warren__call_result, do not repeat them.';

export class WarrenHost implements McpHost {
  readonly server: McpHost['server'];
  readonly instructions = INSTRUCTIONS;
  readonly logs = false;
  readonly tools: McpTools;
  readonly resources: McpResources;
  readonly prompts: McpPrompts;
  readonly #parts: WarrenHostParts;
  readonly #caller: HostedCaller;
  #seat: Seat;

  constructor(parts: WarrenHostParts, caller: HostedCaller) {
    this.server = { name: 'warren', version: parts.version, title: 'Warren' };
    this.#parts = parts;
    this.#seat = caller.seat;
    this.#caller = caller;
    this.tools = { list: (cursor) => this.#listTools(cursor), call: (name, args, request) => this.#callTool(name, args, request) };
    this.resources = createWorkspaceFiles(
      (capability, input, request) => this.#call(capability, input, request),
      (capability, input, signal) => this.#callNow(capability, input, signal),
    );
    this.prompts = createSkillPrompts(
      (capability, input, signal) => this.#callNow(capability, input, signal),
      async (capability) => {
        const { workspace, pid } = await this.#now();
        return (await parts.platform.gate.offered(workspace, pid)).some(({ name }) => name === capability);
      },
    );
  }

  onChanged(listener: (change: HostChange) => void): Disposable {
    const { agent } = this.#caller;
    return this.#parts.changes.listen(this.#seat.workspace, (change) => {
      // Whose process it is from now on, the next call finds out: looking would begin one for an agent that was stopped.
      const isMine = change === undefined || change.pid === this.#seat.pid || (agent !== undefined && change.agent === agent);
      if (isMine) listener({ kind: 'tools' });
    });
  }

  async #listTools(cursor: string | undefined): Promise<Page> {
    const { workspace, pid } = await this.#now();
    const { gate, capabilities } = this.#parts.platform;
    const after = cursor === undefined ? '' : readCursor(cursor);
    // By name, so that a cursor goes on where it was even when others come and go, and lists can be compared.
    const offers = (await gate.offered(workspace, pid))
      .filter(({ name }) => name > after)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const page = offers.slice(0, PAGE);
    const tools = page.flatMap(({ name, tier }) => {
      const definition = capabilities.findDefinition(name);
      return definition === undefined ? [] : [toolOf(definition, tier)];
    });
    if (cursor === undefined) tools.unshift(CALL_RESULT_TOOL);
    const last = page.at(-1);
    return {
      items: tools,
      nextCursor: offers.length > PAGE && last !== undefined ? Buffer.from(last.name).toString('base64url') : undefined,
    };
  }

  async #callTool(name: string, args: JsonObject, request: HostRequest): Promise<Outcome> {
    if (name === CALL_RESULT) return { kind: 'done', result: await this.#callResult(args, request) };
    const capability = capabilityName(name, () => this.#parts.platform.capabilities.definitions().map((each) => each.name));
    const held = await this.#call(capability, args, request);
    if (held.kind === 'ask') return held;
    const { answer } = held;
    if (answer.kind === 'failed' && answer.error.type === 'UnknownCapability') {
      throw invalidParams(`Cannot call ${JSON.stringify(name.slice(0, 128))}: there is no such tool`, toCallError(answer.error));
    }
    return { kind: 'done', result: toToolResult(answer, this.#readsOn(capability)) };
  }

  async #callResult(args: JsonObject, request: HostRequest): Promise<JsonObject> {
    const { callId, waitMs } = readCallResult(args);
    try {
      const answer = await awaitCall(callId, waitMs, request, await this.#held());
      return toToolResult(answer, this.#readsOn(answer.capability));
    } catch (error) {
      if (!isFault(error, 'not_found') && !isFault(error, 'deadline') && !isFault(error, 'busy')) throw error;
      return { content: [{ type: 'text', text: error.message }], isError: true };
    }
  }

  async #call(capability: string, input: JsonObject, request: HostRequest): Promise<Held> {
    const { idempotencyKey, reasoning } = request.meta;
    const call = {
      ...{ capability, input },
      ...(idempotencyKey !== undefined && { idempotencyKey: readMeta(idempotencyKey, 'idempotencyKey') }),
      ...(reasoning !== undefined && { reasoning: readMeta(reasoning, 'reasoning') }),
      via: this.#caller.via,
      onProgress: throttled(request),
    };
    return await holdCall(call, request, await this.#held());
  }

  async #callNow(capability: string, input: JsonObject, signal: AbortSignal): Promise<Answer> {
    const { workspace, pid } = await this.#now();
    const { gate } = this.#parts.platform;
    const answer = await gate.call(workspace, { pid, capability, input, via: this.#caller.via, onAsk: 'return' }, signal);
    if (answer.kind === 'pending') await gate.cancel(workspace, answer.callId, { pid });
    return answer;
  }

  async #held(): Promise<HeldCallParts> {
    const { platform, holdMs, stopping } = this.#parts;
    return { gate: platform.gate, seat: await this.#now(), holdMs: holdMs(), takePlace: this.#caller.takePlace, stopping };
  }

  async #now(): Promise<Seat> {
    this.#seat = await this.#caller.findSeat();
    return this.#seat;
  }

  #readsOn(capability: string): boolean {
    const { inputs = [] }: Partial<Definition> = this.#parts.platform.capabilities.findDefinition(capability) ?? {};
    return inputs.some(({ name }) => name === 'offset') && inputs.some(({ name }) => name === 'limit');
  }
}

function readCursor(cursor: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(cursor)) throw invalidParams('Cannot list tools: the cursor is none that was given here');
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

function readMeta(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidParams(`Cannot make the call: ${name} in its _meta is no text`);
  return value;
}

/** A download tells of every piece; a client is told ten times a second. */
function throttled(request: HostRequest): (message: string, share: number | undefined) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (message, share) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    if (share === undefined) request.progress(++count, undefined, message);
    else request.progress(share, 1, message);
  };
}

/**
 * A server that an operator mounted. It is started when it is first needed, once for each workspace, so that no tenant shares a server's memory with another; it is stopped when it was
 * idle, and started again, later each time, when it does not start.
 *
 * Before a call its list of tools is compared with the pinned one: at the start of each connection, after it said that its tools changed, and now and then. A list that differs blocks the
 * whole server, in every workspace, until an operator approves it, or looks again and finds the old one.
 */
import { Fault, isFault } from '@warren/protocol';
import { CapabilityError } from '../capability/handler.ts';
import { cleanText } from './clean-text.ts';
import type { McpServerConfig } from './mcp-config-format.ts';
import type { McpConnection } from './mcp-connection.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import type { Pin } from './pin-store.ts';
import type { ToolList } from './tool-list.ts';

export type MountedServerParts = {
  readonly config: McpServerConfig;
  readonly open: (config: McpServerConfig, signal: AbortSignal) => Promise<McpConnection>;
  readonly now: () => number;
  /** Before one more is opened. Throws the fault `busy` when there is no place. */
  readonly makeRoom: () => void;
  readonly say: (message: string) => void;
  /** After each comparison that came out otherwise than the one before, and after the first. */
  readonly onCompared: (isChanged: boolean) => void;
};

export type ServerState = 'unapproved' | 'ready' | 'changed';

/** The workspace of connections with which only an operator looks at a server. */
const NOBODY = '';

type Slot = {
  readonly opening: Promise<McpConnection>;
  readonly ending: AbortController;
  users: number;
  idleSince: number;
  /** When its list was last found to be the pinned one; undefined when it has to be looked at. */
  verifiedAt: number | undefined;
  verifying: Promise<void> | undefined;
};

export class MountedServer implements AsyncDisposable {
  readonly config: McpServerConfig;
  readonly #parts: MountedServerParts;
  readonly #slots = new Map<string, Slot>();
  readonly #endings = new Set<Promise<void>>();
  #pin: Pin | undefined;
  #seen: ToolList | undefined;
  #isChanged = false;
  #told: boolean | undefined;
  #problem: string | undefined;
  #failures = 0;
  #retryAt = 0;
  #isClosed = false;

  constructor(parts: MountedServerParts, pin: Pin | undefined) {
    this.config = parts.config;
    this.#parts = parts;
    this.#pin = pin;
  }

  get state(): ServerState {
    if (this.#pin === undefined) return 'unapproved';
    return this.#isChanged ? 'changed' : 'ready';
  }

  get pin(): Pin | undefined {
    return this.#pin;
  }

  /** What it had when it was last looked at in this life of the daemon. */
  get seen(): ToolList | undefined {
    return this.#seen;
  }

  /** Why it could not be used last; undefined when it could, or nobody tried. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get connections(): number {
    return this.#slots.size;
  }

  /** The pinned list from now on. Whoever comes with the one before is refused. */
  approve(pin: Pin | undefined): void {
    this.#pin = pin;
    this.#isChanged = pin !== undefined && this.#seen !== undefined && this.#seen.hash !== pin.hash;
    for (const slot of this.#slots.values()) slot.verifiedAt = undefined;
    this.#tell();
  }

  /** Asks the server itself, also one that failed a moment ago. Throws the faults of `hold`. */
  async look(signal: AbortSignal): Promise<ToolList> {
    this.#retryAt = 0;
    try {
      return await this.#hold(NOBODY, signal, async (connection) => {
        const list = await connection.list(signal);
        this.#saw(list, true);
        return list;
      });
    } catch (error) {
      this.#problem = wordsOf(error);
      throw error;
    } finally {
      this.#end(NOBODY);
    }
  }

  /** Uses a connection whose tools are those of `pin`. Throws `CapabilityError` for a server that is not there or not what was approved, and what `use` throws. */
  async use<Result>(
    workspace: string,
    pin: Pin,
    signal: AbortSignal,
    use: (connection: McpConnection) => Promise<Result>,
  ): Promise<Result> {
    this.#requirePin(pin);
    let isBegun = false;
    try {
      return await this.#hold(workspace, signal, async (connection, slot) => {
        await this.#verify(slot, connection, signal);
        this.#requirePin(pin);
        isBegun = true;
        return await use(connection);
      });
    } catch (error) {
      if (isBegun || error instanceof CapabilityError) throw error;
      signal.throwIfAborted();
      throw new CapabilityError('McpServerUnavailable', `The MCP server ${this.config.name} cannot be used: ${wordsOf(error)}`, {
        retryAfterMs: Math.max(1_000, this.#retryAt - this.#parts.now()),
      });
    }
  }

  /** What somebody has to do for it, as a call found out that its connection cannot go on with. */
  wants(problem: string): void {
    const words = cleanText(problem, 500);
    if (this.#problem === words) return;
    this.#problem = words;
    this.#parts.say(words);
  }

  /** Why it could not be used is mended: the next call starts it at once, and anew. */
  restart(): void {
    this.#retryAt = 0;
    this.#failures = 0;
    this.#problem = undefined;
    this.sweep(Number.POSITIVE_INFINITY);
  }

  /** Ends what was idle since before. */
  sweep(before: number): void {
    for (const [workspace, slot] of this.#slots) if (slot.users === 0 && slot.idleSince <= before) this.#end(workspace);
  }

  /** The connection of a workspace that is being deleted. */
  async endIn(workspace: string): Promise<void> {
    if (this.#slots.has(workspace)) this.#end(workspace);
    await Promise.all(this.#endings);
  }

  /** Of connections nobody uses, since when; undefined when there is none. */
  get idleSince(): number | undefined {
    const idle = [...this.#slots.values()].filter(({ users }) => users === 0).map(({ idleSince }) => idleSince);
    return idle.length === 0 ? undefined : Math.min(...idle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const workspace of [...this.#slots.keys()]) this.#end(workspace);
    await Promise.all(this.#endings);
  }

  #requirePin(pin: Pin): void {
    if (this.#pin?.hash === pin.hash && !this.#isChanged) return;
    throw new CapabilityError('McpServerChanged', `The tools of the MCP server ${this.config.name} are not those that were approved`, {
      context: { server: this.config.name },
    });
  }

  async #hold<Result>(
    workspace: string,
    signal: AbortSignal,
    use: (connection: McpConnection, slot: Slot) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const slot = this.#slots.get(workspace) ?? this.#open(workspace);
    slot.users += 1;
    try {
      return await use(await until(slot.opening, signal), slot);
    } finally {
      slot.users -= 1;
      slot.idleSince = this.#parts.now();
    }
  }

  #open(workspace: string): Slot {
    const { open, now, makeRoom } = this.#parts;
    if (this.#isClosed) throw new Fault('unavailable', 'it is not mounted any more');
    if (now() < this.#retryAt) throw new Fault('unavailable', this.#problem ?? 'it failed a moment ago');
    makeRoom();
    const ending = new AbortController();
    const opening = open(this.config, AbortSignal.any([ending.signal, AbortSignal.timeout(MCP_LIMITS.connectMs)]));
    const slot: Slot = { opening, ending, users: 0, idleSince: now(), verifiedAt: undefined, verifying: undefined };
    this.#slots.set(workspace, slot);
    opening.then(
      (connection) => {
        this.#failures = 0;
        connection.onChanged = () => {
          slot.verifiedAt = undefined;
        };
        connection.onClosed = () => this.#lost(workspace, slot, connection.reason);
        if (connection.isClosed) this.#lost(workspace, slot, connection.reason);
      },
      (error: unknown) => this.#lost(workspace, slot, wordsOf(error)),
    );
    return slot;
  }

  /** It ended by itself, or did not begin: the next start waits a little, longer each time. */
  #lost(workspace: string, slot: Slot, why: string): void {
    if (this.#slots.get(workspace) !== slot) return;
    this.#slots.delete(workspace);
    this.#failures += 1;
    this.#problem = why;
    this.#retryAt = this.#parts.now() + Math.min(MCP_LIMITS.backoffMsMax, MCP_LIMITS.backoffMs * 2 ** Math.min(10, this.#failures - 1));
    this.#parts.say(`The MCP server ${this.config.name} is lost: ${why}`);
    void slot.opening.then(
      (connection) => connection[Symbol.asyncDispose](),
      () => {}, // It never was.
    );
  }

  #end(workspace: string): void {
    const slot = this.#slots.get(workspace);
    if (slot === undefined) return;
    this.#slots.delete(workspace);
    slot.ending.abort(new Fault('aborted', 'the server was stopped'));
    const ending = slot.opening.then(
      (connection) => connection[Symbol.asyncDispose](),
      () => {}, // It never was.
    );
    this.#endings.add(ending);
    void ending.finally(() => this.#endings.delete(ending));
  }

  /** Shared by all calls that come meanwhile. */
  async #verify(slot: Slot, connection: McpConnection, signal: AbortSignal): Promise<void> {
    const { now } = this.#parts;
    while (slot.verifiedAt === undefined || now() - slot.verifiedAt > MCP_LIMITS.recheckMs) {
      slot.verifying ??= this.#compare(slot, connection).finally(() => {
        slot.verifying = undefined;
      });
      await until(slot.verifying, signal);
      if (this.#isChanged) return;
    }
  }

  async #compare(slot: Slot, connection: McpConnection): Promise<void> {
    slot.verifiedAt = this.#parts.now(); // What it says from now on counts as after.
    try {
      this.#saw(await connection.list(slot.ending.signal), false);
    } catch (error) {
      slot.verifiedAt = undefined;
      this.#problem = wordsOf(error);
      throw error;
    }
  }

  /** `isLooked`: by an operator, who takes back that it changed when it is again what was approved. */
  #saw(list: ToolList, isLooked: boolean): void {
    const wasChanged = this.#isChanged;
    this.#seen = list;
    this.#problem = undefined;
    if (this.#pin === undefined) return;
    this.#isChanged = list.hash !== this.#pin.hash || (wasChanged && !isLooked);
    this.#tell();
    if (this.#isChanged && !wasChanged)
      this.#parts.say(
        `The MCP server ${this.config.name} has other tools than were approved; none of them is used: warren mcp-server show ${this.config.name}`,
      );
  }

  #tell(): void {
    if (this.#told === this.#isChanged) return;
    this.#told = this.#isChanged;
    this.#parts.onCompared(this.#isChanged);
  }
}

/** Abandons the wait, not the work: others may wait for it too. */
async function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function wordsOf(error: unknown): string {
  if (isFault(error) || error instanceof Error) return cleanText(error.message, 500);
  return 'for an unknown reason';
}

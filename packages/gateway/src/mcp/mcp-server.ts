/** The protocol's server: what all its ways in share. */
import { randomBytes } from 'node:crypto';
import type { JsonRpcError } from '@warren/protocol';
import type { AskedSeat } from '../caller/seats.ts';
import type { Identity } from '../http/authenticate.ts';
import { SealedStates } from '../internal/sealed-states.ts';
import type { Log } from '../observe/log.ts';
import { INTERNAL_ERROR, toJsonRpcError } from './engine/mcp-error.ts';
import { MCP_LIMITS, type McpLimits } from './engine/mcp-limits.ts';
import type { McpHost } from './host.ts';
import { HttpSessions } from './http/http-sessions.ts';

/** What a caller may use. Throws a fault when there is nothing. */
export type OpenMcpHost = (identity: Identity, asked: AskedSeat) => Promise<McpHost>;

export type McpServerParts = {
  readonly openHost: OpenMcpHost;
  readonly log: Log;
  readonly limits?: Partial<McpLimits> | undefined;
  readonly onClose?: (() => void) | undefined;
};

export class McpServer implements Disposable {
  readonly openHost: OpenMcpHost;
  readonly limits: McpLimits;
  readonly states: SealedStates;
  readonly sessions: HttpSessions;
  readonly #log: Log;
  readonly #onClose: () => void;
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];

  constructor({ openHost, log, limits, onClose = () => {} }: McpServerParts) {
    this.#onClose = onClose;
    this.openHost = openHost;
    this.#log = log;
    this.limits = { ...MCP_LIMITS, ...limits };
    this.states = new SealedStates(this.limits.stateMs);
    this.sessions = new HttpSessions(this.limits);
  }

  /** What the client is told of an error. What is a defect is in the log, under the id it is told. */
  readonly explain = (error: unknown): JsonRpcError => {
    const known = toJsonRpcError(error);
    if (known !== undefined) return known;
    const id = `error_${randomBytes(8).toString('hex')}`;
    this.#log.error('A request of MCP failed', { error_id: id, stack: error instanceof Error ? error.stack : typeof error });
    return { code: INTERNAL_ERROR, message: 'Cannot answer the request: an error of ours, which is in the log', data: { error_id: id } };
  };

  /** Counts what is under way, so that stopping can wait for it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  [Symbol.dispose](): void {
    this.sessions[Symbol.dispose]();
    this.#onClose();
  }
}

/** Sessions over HTTP by their ids. An id is no secret that opens anything: a session answers only the caller that began it, with the token it began it with. */
import { randomBytes } from 'node:crypto';
import type { JsonObject } from '@warren/protocol';
import { Fault } from '@warren/protocol';
import { isSameCaller } from '../../caller/caller-key.ts';
import type { Identity } from '../../http/authenticate.ts';
import type { McpLimits } from '../engine/mcp-limits.ts';
import type { SessionParts } from '../engine/session.ts';
import { HttpSession } from './http-session.ts';

const ID_BYTES = 24;
const SWEEP_MS = 60_000;

export class HttpSessions implements Disposable {
  readonly #limits: McpLimits;
  readonly #now: () => number;
  /** Those that were used least recently first. */
  readonly #sessions = new Map<string, HttpSession>();
  #sweeping: NodeJS.Timeout | undefined;

  constructor(limits: McpLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Throws `busy` when there are too many that are in use, and `McpError`. */
  begin(parts: Omit<SessionParts, 'sendNotice' | 'limits'>, params: JsonObject, owner: Identity): HttpSession {
    this.sweep();
    this.#makeRoom(owner);
    const id = randomBytes(ID_BYTES).toString('base64url');
    const session = new HttpSession({ ...parts, id, owner, limits: this.#limits, now: this.#now }, params);
    this.#sessions.set(id, session);
    this.#sweeping ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return session;
  }

  /** Undefined: there is none, or it is somebody else's, which is the same to whoever asks. */
  find(id: string, caller: Identity): HttpSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || !isSameCaller(session.owner, caller)) return undefined;
    session.touch();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  end(session: HttpSession): void {
    this.#sessions.delete(session.id);
    session[Symbol.dispose]();
    if (this.#sessions.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  /** Ends those nobody uses. */
  sweep(): void {
    const before = this.#now() - this.#limits.sessionIdleMs;
    for (const session of this.#sessions.values()) if (session.usedAt < before && !session.isInUse) this.end(session);
  }

  [Symbol.dispose](): void {
    for (const session of [...this.#sessions.values()]) this.end(session);
  }

  #makeRoom(owner: Identity): void {
    const { sessionsMax, sessionsPerCallerMax } = this.#limits;
    const own = [...this.#sessions.values()].filter((session) => isSameCaller(session.owner, owner));
    if (own.length < sessionsPerCallerMax && this.#sessions.size < sessionsMax) return;
    // Whoever has many gives up one of its own; nobody loses one to somebody else.
    const idle = own.find((session) => !session.isInUse);
    if (idle === undefined) {
      throw new Fault(
        'busy',
        `Cannot begin another session: ${own.length} of this caller and ${this.#sessions.size} altogether are in use`,
      );
    }
    this.end(idle);
  }
}

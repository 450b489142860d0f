/**
 * Turns: how many calls are under way of one process and capability, of one process, and of all. Who finds no room waits in the line of its process; who finds
 * the line full is refused. Places that become free go round among processes, so that none with many calls keeps others out.
 */
import type { GateLimits } from './limits.ts';

export type Turn = {
  readonly process: string;
  readonly capability: string;
  /** Of this capability in this process. */
  readonly max: number;
};

/** A place among those under way. */
export interface Lane {
  /** Gives the place back. Twice does nothing more. */
  leave(): void;
  /** Gives back only what others of all processes may use: an implementation that does not end stays in the way of its own process alone. */
  leaveGate(): void;
}

export type Entered = { readonly kind: 'entered'; readonly lane: Lane } | { readonly kind: 'full' } | { readonly kind: 'gave_up' };

type Waiting = { readonly turn: Turn; readonly enter: () => void };
type Line = { active: number; readonly byCapability: Map<string, number>; readonly waiting: Waiting[] };

export class CallLanes {
  readonly #limits: GateLimits;
  readonly #lines = new Map<string, Line>();
  /** Processes with somebody who waits, the next first. */
  readonly #rotation = new Set<string>();
  #active = 0;
  #waiting = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The usual case: there is room, and nobody has to wait. */
  tryEnter(turn: Turn): Lane | undefined {
    const line = this.#lineOf(turn.process);
    if (line.waiting.some((other) => other.turn.capability === turn.capability) || !this.#hasRoom(line, turn)) {
      this.#tidy(turn.process, line);
      return undefined;
    }
    return this.#take(line, turn);
  }

  /** Waits until there is room or `signal` fires. */
  enter(turn: Turn, signal: AbortSignal): Promise<Entered> {
    const lane = this.tryEnter(turn);
    if (lane !== undefined) return Promise.resolve({ kind: 'entered', lane });
    const line = this.#lineOf(turn.process);
    if (line.waiting.length >= this.#limits.processWaitingMax || this.#waiting >= this.#limits.gateWaitingMax) {
      this.#tidy(turn.process, line);
      return Promise.resolve({ kind: 'full' });
    }
    return new Promise((resolve) => {
      const giveUp = (): void => {
        line.waiting.splice(line.waiting.indexOf(waiting), 1);
        this.#waiting -= 1;
        this.#tidy(turn.process, line);
        resolve({ kind: 'gave_up' });
      };
      const waiting: Waiting = {
        turn,
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve({ kind: 'entered', lane: this.#take(line, turn) });
        },
      };
      if (signal.aborted) return resolve({ kind: 'gave_up' });
      signal.addEventListener('abort', giveUp, { once: true });
      line.waiting.push(waiting);
      this.#waiting += 1;
      this.#rotation.add(turn.process);
    });
  }

  #hasRoom(line: Line, { capability, max }: Turn): boolean {
    const { processMax, gateMax } = this.#limits;
    return this.#active < gateMax && line.active < processMax && (line.byCapability.get(capability) ?? 0) < max;
  }

  #take(line: Line, { process, capability }: Turn): Lane {
    this.#active += 1;
    line.active += 1;
    line.byCapability.set(capability, (line.byCapability.get(capability) ?? 0) + 1);
    let hasGate = true;
    let hasLine = true;
    const leaveGate = (): void => {
      if (!hasGate) return;
      hasGate = false;
      this.#active -= 1;
      this.#callNext(process);
    };
    return {
      leaveGate,
      leave: () => {
        if (hasLine) {
          hasLine = false;
          line.active -= 1;
          const left = (line.byCapability.get(capability) ?? 1) - 1;
          if (left > 0) line.byCapability.set(capability, left);
          else line.byCapability.delete(capability);
        }
        if (hasGate) leaveGate();
        else this.#callNext(process);
        this.#tidy(process, line);
      },
    };
  }

  /** One place was given back: the next in turn takes it, of the process that gave it last. */
  #callNext(freed: string): void {
    if (this.#waiting === 0) return;
    if (this.#rotation.delete(freed)) this.#rotation.add(freed);
    for (const process of this.#rotation) {
      if (this.#active >= this.#limits.gateMax) return;
      const line = this.#lines.get(process);
      const index = line?.waiting.findIndex(({ turn }) => this.#hasRoom(line, turn)) ?? -1;
      const [next] = index === -1 ? [] : (line?.waiting.splice(index, 1) ?? []);
      if (next === undefined || line === undefined) continue;
      this.#waiting -= 1;
      this.#rotation.delete(process);
      if (line.waiting.length > 0) this.#rotation.add(process);
      next.enter();
      return;
    }
  }

  #lineOf(process: string): Line {
    const known = this.#lines.get(process);
    if (known !== undefined) return known;
    const made: Line = { active: 0, byCapability: new Map(), waiting: [] };
    this.#lines.set(process, made);
    return made;
  }

  #tidy(process: string, line: Line): void {
    if (line.waiting.length > 0) return;
    this.#rotation.delete(process);
    if (line.active === 0 && this.#lines.get(process) === line) this.#lines.delete(process);
  }
}

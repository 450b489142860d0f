/**
 * So many at once, and no more: of all callers together, and of each one. The last places are for operators, so that nobody can lock out those
 * who put things right. The members of a workspace are one caller: whoever holds a token of it speaks for all of it.
 */
import type { Principal } from '@warren/kernel';
import { Fault } from '@warren/protocol';

export type PlaceLimits = {
  readonly most: number;
  readonly forOperators: number;
  /** Of one process or agent, and of one workspace's members. */
  readonly perProcess: number;
  readonly perMember: number;
};

/** What is said of those of calls that wait for something to happen. */
export const CALLS_THAT_WAIT = 'calls that wait';

export class Places {
  readonly #limits: PlaceLimits;
  /** Who has none is not in it. */
  readonly #takenBy = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Given back when disposed of. Throws `busy`; `what` there is too much of is said in it. */
  take(principal: Principal, what: string): Disposable {
    const who = nameOf(principal);
    const taken = this.#takenBy.get(who) ?? 0;
    const most = this.#mostOf(principal);
    const share = this.#shareOf(principal);
    if (this.#taken >= most) throw tooMany(what, this.#taken, most);
    if (taken >= share) throw tooMany(`${what} of this caller`, taken, share);
    this.#taken++;
    this.#takenBy.set(who, taken + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#give(who);
        isHeld = false;
      },
    };
  }

  #give(who: string): void {
    const left = (this.#takenBy.get(who) ?? 1) - 1;
    this.#taken--;
    if (left === 0) this.#takenBy.delete(who);
    else this.#takenBy.set(who, left);
  }

  #mostOf({ kind }: Principal): number {
    const { most, forOperators } = this.#limits;
    return kind === 'operator' ? most : most - forOperators;
  }

  #shareOf({ kind }: Principal): number {
    if (kind === 'operator') return this.#limits.most;
    return kind === 'member' ? this.#limits.perMember : this.#limits.perProcess;
  }
}

function nameOf(principal: Principal): string {
  if (principal.kind === 'operator') return 'operator';
  if (principal.kind === 'member') return principal.workspace;
  return `${principal.workspace} ${principal.kind === 'agent' ? principal.agent : principal.pid}`;
}

function tooMany(what: string, count: number, limit: number): Fault {
  return new Fault('busy', `Cannot have another: ${count} ${what} are there, the limit is ${limit}`);
}

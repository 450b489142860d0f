import type { Kernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Identity } from './authenticate.ts';

/** A connection that stays outlives the moment its token was looked at. A revoked token is noticed within this time. */
const TRUSTED_MS = 1_000;

/** Whether the caller at the other end of a lasting connection still is who it was. */
export class LiveIdentity {
  readonly #identity: Identity;
  readonly #tokens: Pick<Kernel['tokens'], 'authenticate'>;
  readonly #now: () => number;
  #checkedAt: number;
  /** Who was nobody once is not somebody again. */
  #isOver = false;

  constructor(identity: Identity, tokens: Pick<Kernel['tokens'], 'authenticate'>, now: () => number = () => performance.now()) {
    this.#identity = identity;
    this.#tokens = tokens;
    this.#now = now;
    this.#checkedAt = now();
  }

  /** For calls that took a while: what came of it is not for who may not call any more. Throws `unauthenticated`. */
  async requireGood(): Promise<void> {
    if (!(await this.isGood())) throw new Fault('unauthenticated', 'Cannot answer: meanwhile the token is no longer good');
  }

  async isGood(): Promise<boolean> {
    const { token } = this.#identity;
    if (this.#isOver) return false;
    const now = this.#now();
    if (token === undefined || now - this.#checkedAt < TRUSTED_MS) return true;
    this.#checkedAt = now;
    this.#isOver = (await this.#tokens.authenticate(token)) === undefined;
    return !this.#isOver;
  }
}

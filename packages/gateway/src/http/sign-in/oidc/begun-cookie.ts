/**
 * What a sign-in that went off to a provider needs when the browser comes back: sealed in a cookie of that browser. So nothing is remembered for those who
 * never come back, and what one browser began no other can end. Unlike that of a session it is sent along when another site leads here (`SameSite=Lax`).
 */
import type { IncomingMessage } from 'node:http';
import { SealedStates, type StateOwner } from '../../../internal/sealed-states.ts';

const LIFE_MS = 600_000;
const PLAIN = 'warren-sign-in';
const HOST_ONLY = '__Host-warren-sign-in';
const USED_MAX = 65_536;

export type Begun = { readonly state: string; readonly nonce: string; readonly verifier: string; readonly returnTo: string };

export class BegunSignIns {
  readonly #states: SealedStates;
  readonly #now: () => number;
  readonly #usedMax: number;
  /** States that were used, by when they end. */
  readonly #used = new Map<string, number>();

  constructor(now: () => number = () => performance.now(), usedMax = USED_MAX) {
    this.#now = now;
    this.#usedMax = usedMax;
    this.#states = new SealedStates(LIFE_MS, now);
  }

  /** Its cookie. */
  seal(provider: string, begun: Begun, isTls: boolean): string {
    return `${nameOf(isTls)}=${this.#states.seal(begun, ownerOf(provider))}; ${attributes(isTls)}; Max-Age=${LIFE_MS / 1_000}`;
  }

  /** What this very browser began with this provider, and with this state; once. Undefined for anything else. */
  take(request: Pick<IncomingMessage, 'headers'>, provider: string, state: string, isTls: boolean): Begun | undefined {
    const found = (request.headers.cookie ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${nameOf(isTls)}=`));
    const [only = '', ...more] = found;
    // Of several one was planted.
    if (more.length > 0) return undefined;
    const begun = this.#states.open(only.slice(nameOf(isTls).length + 1), ownerOf(provider)) as Begun | undefined; // `seal` wrote it.
    if (begun === undefined || begun.state !== state || !this.#use(state)) return undefined;
    return begun;
  }

  #use(state: string): boolean {
    const now = this.#now();
    if (this.#used.has(state)) return false;
    // The oldest first, as they were added. Too many make room as well: so they keep nobody out, and a provider takes no code twice either.
    for (const [each, until] of this.#used) {
      if (until > now && this.#used.size < this.#usedMax) break;
      this.#used.delete(each);
    }
    this.#used.set(state, now + LIFE_MS);
    return true;
  }
}

export function noBegunCookie(isTls: boolean): string {
  return `${nameOf(isTls)}=; ${attributes(isTls)}; Max-Age=0`;
}

function ownerOf(provider: string): StateOwner {
  return { caller: 'browser', method: 'sign-in', subject: provider, args: null };
}

function attributes(isTls: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${isTls ? '; Secure' : ''}`;
}

function nameOf(isTls: boolean): string {
  return isTls ? HOST_ONLY : PLAIN;
}

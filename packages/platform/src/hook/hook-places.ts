/**
 * Places for hooks outside of this process that run at once. What hangs holds its place until its time is over, so no workspace has more
 * than a share of them, and hooks that nobody waits for have fewer still: those of others, and those that calls wait for, find one.
 * Who waits for a place too long has failed; that time is none of the hook's own.
 */
import type { WorkspaceId } from '@warren/protocol';

/** `isAwaited`: a call waits for it, and is vetoed when it fails. */
export type HookTurn = { readonly workspace: WorkspaceId; readonly isAwaited: boolean };

export type HookPlaceLimits = {
  readonly places: number;
  readonly ofWorkspace: number;
  /** Of hooks that nobody waits for. */
  readonly telling: number;
  readonly tellingOfWorkspace: number;
  readonly waitMs: number;
};

export const HOOK_PLACES: HookPlaceLimits = { places: 16, ofWorkspace: 8, telling: 10, tellingOfWorkspace: 4, waitMs: 60_000 };

type Waiting = { readonly turn: HookTurn; readonly go: () => void };

export class HookPlaces {
  readonly #limits: HookPlaceLimits;
  /** In the order they came. None of them could have a place. */
  readonly #waiting = new Set<Waiting>();
  readonly #held = new Set<HookTurn>();

  constructor(limits: HookPlaceLimits = HOOK_PLACES) {
    this.#limits = limits;
  }

  /** Rejects with the signal's reason, or when there was none for too long. Disposing gives the place back. */
  async take({ workspace, isAwaited }: HookTurn, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const turn: HookTurn = { workspace, isAwaited }; // An object of its own: it is held as itself.
    if (this.#hasRoom(turn)) this.#held.add(turn);
    else await this.#wait(turn, signal);
    return {
      [Symbol.dispose]: () => {
        if (this.#held.delete(turn)) this.#admit();
      },
    };
  }

  /** When it resolves, the place is held. */
  #wait(turn: HookTurn, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { waitMs } = this.#limits;
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        turn,
        go: () => {
          end();
          this.#held.add(turn);
          resolve();
        },
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`other hooks left it no place for ${waitMs} ms`));
      }, waitMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** One place that is given back may be room for more than one: they wait for different ones. */
  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) next.go();
  }

  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const each of this.#waiting) {
      if (!this.#hasRoom(each.turn)) continue;
      if (next === undefined || this.#isBefore(each.turn, next.turn)) next = each;
    }
    return next;
  }

  /** Those that calls wait for go first, then those of the workspace that has the fewest places; else who came first. */
  #isBefore(one: HookTurn, other: HookTurn): boolean {
    if (one.isAwaited !== other.isAwaited) return one.isAwaited;
    return this.#count((held) => held.workspace === one.workspace) < this.#count((held) => held.workspace === other.workspace);
  }

  #hasRoom({ workspace, isAwaited }: HookTurn): boolean {
    const { places, ofWorkspace, telling, tellingOfWorkspace } = this.#limits;
    if (this.#held.size >= places || this.#count((held) => held.workspace === workspace) >= ofWorkspace) return false;
    if (isAwaited) return true;
    if (this.#count((held) => !held.isAwaited) >= telling) return false;
    return this.#count((held) => !held.isAwaited && held.workspace === workspace) < tellingOfWorkspace;
  }

  #count(isMeant: (held: HookTurn) => boolean): number {
    let count = 0;
    for (const held of this.#held) if (isMeant(held)) count += 1;
    return count;
  }
}

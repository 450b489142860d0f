/**
 * Who waits for work, and where there may be some. A workspace is ready from the moment something happened there until a claim found nothing and
 * nothing happened meanwhile. What must hold: while somebody waits and a workspace is ready, somebody is on the way to look. So whatever
 * makes a workspace ready calls one who waits, and whoever stops looking while a workspace is still ready calls the next.
 */
import type { WorkspaceId } from '@warren/protocol';

type Waiter = { readonly call: () => void; readonly giveUp: () => void };

export class WaitingLine {
  readonly #waiters: Waiter[] = [];
  /** Each ready workspace, and how often it was made so. */
  readonly #ready = new Map<WorkspaceId, number>();
  #times = 0;

  get length(): number {
    return this.#waiters.length;
  }

  get ready(): readonly WorkspaceId[] {
    return [...this.#ready.keys()];
  }

  /** Something happened there, `count` times. Calls as many. */
  makeReady(id: WorkspaceId, count: number): void {
    this.#ready.set(id, ++this.#times);
    for (let called = 0; called < count && this.#waiters.length > 0; called++) this.#waiters.shift()?.call();
  }

  /** To be handed to `foundNothing` after looking. */
  mark(id: WorkspaceId): number | undefined {
    return this.#ready.get(id);
  }

  /** There was nothing left; unless something happened there since the mark, it is not ready any more. */
  foundNothing(id: WorkspaceId, mark: number | undefined): void {
    if (this.#ready.get(id) === mark) this.#ready.delete(id);
  }

  /** Calls the next if there is still something to look at. Whoever was called or claimed calls this when done. */
  passOn(): void {
    if (this.#ready.size > 0) this.#waiters.shift()?.call();
  }

  /** Ends every wait in vain. */
  sendAway(): void {
    for (const waiter of this.#waiters.slice()) waiter.giveUp();
  }

  /** Resolves with true when called, with false when the time is over or the signal fires. Who waits again goes first. */
  async wait(waitMs: number, isAgain: boolean, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    return await new Promise<boolean>((resolve) => {
      const end = (isCalled: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(isCalled);
      };
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1); // It is there: nobody has called it.
        end(false);
      };
      const waiter: Waiter = { call: () => end(true), giveUp };
      const timer = setTimeout(giveUp, waitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      if (isAgain) this.#waiters.unshift(waiter);
      else this.#waiters.push(waiter);
    });
  }
}

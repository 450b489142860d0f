/**
 * What can end a call under way: its caller, its deadline, the end of its process, the loss of a grant it needs, somebody who cancels it, the end of
 * Warren. All of it reaches the implementation as one signal. It exists before the first transaction, so nothing that is committed after the decision is missed.
 */
import type { CallFacts } from '../policy/policy.ts';
import type { GateError } from './call-error.ts';

export type Stop =
  | { readonly kind: 'caller' }
  | { readonly kind: 'deadline'; readonly deadlineMs: number }
  | { readonly kind: 'process_ended' }
  | { readonly kind: 'cancelled' }
  /** Warren stops. */
  | { readonly kind: 'closing' }
  | { readonly kind: 'grant_lost'; readonly error: GateError };

export class CallWatch {
  readonly pid: number;
  readonly capability: string;
  readonly facts: CallFacts;
  /** Looks at grants that were narrowed since: the call is not begun before it is known whether it still may be. */
  recheck: Promise<void> | undefined;
  #stop: Stop | undefined;
  #abort: AbortController | undefined;
  #onStop: (() => void) | undefined;

  constructor(pid: number, capability: string, facts: CallFacts) {
    this.pid = pid;
    this.capability = capability;
    this.facts = facts;
  }

  get stopped(): Stop | undefined {
    return this.#stop;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#stop !== undefined) this.#abort.abort(this.#stop);
    }
    return this.#abort.signal;
  }

  /** Called once, at once if it is stopped already. */
  onStop(listener: () => void): void {
    this.#onStop = listener;
    if (this.#stop !== undefined) listener();
  }

  /** The first reason counts. */
  stop(reason: Stop): void {
    if (this.#stop !== undefined) return;
    this.#stop = reason;
    this.#abort?.abort(reason);
    this.#onStop?.();
  }
}

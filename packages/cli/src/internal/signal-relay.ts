/**
 * What a signal to `warren run` does to the command: it is passed on, and what does not listen is killed. Ctrl-C twice within two seconds
 * kills at once; SIGTERM and SIGHUP, which come from machines, kill after two seconds. Before the command runs, any of them ends the start.
Whoever still insists gets the prompt back at once: nobody should have to look for a way to kill us.
 */
import type { SignalName } from '@warren/sandbox';

/** How fast a second Ctrl-C must follow, and how long a command may take to obey a SIGTERM. */
export const GRACE_MS = 2_000;

export const RELAYED_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

export interface SignalTarget {
  kill(signal: SignalName, scope: 'group' | 'tree'): void;
}

export type SignalRelayOptions = {
  readonly now: () => number;
  /** Called once, when the command is killed rather than asked, or must not start at all. */
  readonly onKill: (because: SignalName) => void;
  /** Called for each further signal to end. */
  readonly onInsist: (because: SignalName) => void;
};

export class SignalRelay implements Disposable {
  readonly #options: SignalRelayOptions;
  #target: SignalTarget | undefined;
  #interruptedAtMs = Number.NEGATIVE_INFINITY;
  #grace: NodeJS.Timeout | undefined;
  #killedBy: SignalName | undefined;

  constructor(options: SignalRelayOptions) {
    this.#options = options;
  }

  /** The signal because of which the command was killed, or was not started. */
  get killedBy(): SignalName | undefined {
    return this.#killedBy;
  }

  /** From now on there is a command to pass signals to. */
  attach(target: SignalTarget): void {
    this.#target = target;
  }

  receive(signal: SignalName): void {
    const isAsking = signal === 'SIGUSR1' || signal === 'SIGUSR2';
    if (this.#killedBy !== undefined) {
      if (!isAsking) this.#options.onInsist(this.#killedBy);
      return;
    }
    if (this.#target === undefined) {
      if (!isAsking) this.#kill(signal);
      return;
    }
    const isRepeated = this.#grace !== undefined || this.#options.now() - this.#interruptedAtMs <= GRACE_MS;
    if (!isAsking && isRepeated) {
      this.#kill(signal);
      return;
    }
    this.#target.kill(signal, 'group');
    if (signal === 'SIGINT' || signal === 'SIGQUIT') this.#interruptedAtMs = this.#options.now();
    if (signal === 'SIGTERM' || signal === 'SIGHUP') this.#grace = setTimeout(() => this.#kill(signal), GRACE_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#grace);
    this.#target = undefined;
  }

  #kill(because: SignalName): void {
    this.#killedBy = because;
    this.#target?.kill('SIGKILL', 'tree');
    this.#options.onKill(because);
  }
}

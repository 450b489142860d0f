/** The sandbox of one process, from its start to its end: who uses it, and since when nobody does. */
import type { Sandbox } from '@warren/sandbox';
import type { LiveBackgroundCommands } from './create-background-commands.ts';

export type LiveSandbox = { readonly sandbox: Sandbox; readonly background: LiveBackgroundCommands };

export class SandboxSlot {
  readonly key: string;
  readonly #abort = new AbortController();
  /** What was started; rejects when it cannot be. */
  readonly #starting: Promise<LiveSandbox>;
  #live: LiveSandbox | undefined;
  #users = 0;
  #idleSince: number;
  #isRetired = false;
  #ending: Promise<void> | undefined;
  #freezing: Promise<void> = Promise.resolve();
  readonly #now: () => number;

  constructor(key: string, start: (signal: AbortSignal) => Promise<LiveSandbox>, now: () => number) {
    this.key = key;
    this.#now = now;
    this.#idleSince = now();
    this.#starting = start(this.#abort.signal).then((live) => {
      this.#live = live;
      return live;
    });
    this.#starting.catch(() => {}); // Whoever waits for it is told; after an abort nobody does.
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  get live(): LiveSandbox | undefined {
    return this.#live;
  }

  /** When it was used last, if nothing uses it; a command in the background is use. */
  get idleSince(): number | undefined {
    if (this.#live === undefined || this.#users > 0) return undefined;
    if (this.#live.background.running === 0) return this.#idleSince;
    this.#idleSince = this.#now();
    return undefined;
  }

  /** Waits for the start. Whoever called `hold` calls `release`, also after it threw. When the last one gives up before it stands, the start is given up. */
  async hold(signal: AbortSignal | undefined): Promise<LiveSandbox> {
    this.#users++;
    signal?.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#starting, promise]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Returns whether nobody is left who waits for a start. */
  release(): boolean {
    this.#users--;
    this.#idleSince = this.#now();
    return this.#users === 0 && this.#live === undefined;
  }

  /** Freezes or thaws what runs in it, as `isFrozen` says when its turn comes. Turns come one after the other, so the last one asked for looks last. Never rejects. */
  settle(isFrozen: () => Promise<boolean>): Promise<void> {
    this.#freezing = this.#freezing
      .then(async () => {
        const { sandbox } = await this.#starting;
        await ((await isFrozen()) ? sandbox.pause() : sandbox.resume());
      })
      .catch(() => {}); // It never stood, or is gone: nothing runs.
    return this.#freezing;
  }

  /** Ends it: who uses it hears that it is gone. Never rejects. */
  retire(reason: unknown): Promise<void> {
    this.#isRetired = true;
    this.#abort.abort(reason);
    this.#ending ??= this.#starting.then(
      ({ sandbox }) => Promise.resolve(sandbox[Symbol.asyncDispose]()).catch(() => {}), // It is gone anyway: the backend has lost it.
      () => {}, // It never stood.
    );
    return this.#ending;
  }
}

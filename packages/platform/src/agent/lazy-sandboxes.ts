/** Walls that are built when somebody first needs them: a daemon whose agents run no commands starts no launcher, and one that cannot build walls still serves everything else. */
import type { Capabilities, Sandbox, Sandboxes, SandboxSpec } from '@warren/sandbox';

export class LazySandboxes implements Sandboxes {
  readonly #open: () => Promise<Sandboxes>;
  #opening: Promise<Sandboxes> | undefined;
  #opened: Sandboxes | undefined;

  constructor(open: () => Promise<Sandboxes>) {
    this.#open = open;
  }

  get capabilities(): Capabilities {
    if (this.#opened === undefined) throw new Error('No sandbox was started yet');
    return this.#opened.capabilities;
  }

  async start(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox> {
    return await (await this.#ready()).start(spec, signal);
  }

  async #ready(): Promise<Sandboxes> {
    this.#opening ??= this.#open().then((opened) => {
      this.#opened = opened;
      return opened;
    });
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined; // What was missing may be there next time.
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opening = this.#opening;
    if (opening !== undefined) await (await opening.catch(() => undefined))?.[Symbol.asyncDispose](); // One that did not open holds nothing.
  }
}

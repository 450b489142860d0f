import type { Host } from './host.ts';

const LOOK_MS = 200;

/** One line at the bottom of a terminal that says how far something is; on anything else, nothing. Disposing wipes it away. */
export class ProgressLine implements Disposable {
  readonly #host: Host;
  readonly #what: string;
  #shown = '';

  constructor(host: Host, what: string) {
    this.#host = host;
    this.#what = what;
  }

  show(share: number): void {
    if (!this.#host.stderr.isTerminal) return;
    const line = `${this.#what}: ${Math.floor(Math.min(1, Math.max(0, share)) * 100)}%`;
    if (line === this.#shown) return;
    this.#shown = line;
    this.#write(`\r${line}\u001b[K`);
  }

  /** Looks how far it is from time to time, for work that does not tell. */
  watch(look: () => number): Disposable {
    const timer = this.#host.stderr.isTerminal ? setInterval(() => this.show(look()), LOOK_MS) : undefined;
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  [Symbol.dispose](): void {
    if (this.#shown !== '') this.#write('\r\u001b[K');
    this.#shown = '';
  }

  #write(text: string): void {
    this.#host.stderr.write(text).catch(() => {}); // Nobody watches.
  }
}

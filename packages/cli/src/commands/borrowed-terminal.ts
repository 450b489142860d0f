import type { Execution, TerminalSize } from '@warren/sandbox';
import type { Host, Output } from '../internal/host.ts';

const DEFAULT_SIZE: TerminalSize = { rows: 24, columns: 80 };

/** The terminal we run on, lent to a command: raw keys, its size, and back to what it was on every way out. */
export class BorrowedTerminal implements Disposable {
  readonly size: TerminalSize;
  readonly #raw: Disposable | undefined;
  readonly #output: Output | undefined;
  #resizing: Disposable | undefined;
  #isLent = true;

  constructor(host: Host) {
    this.#output = [host.stdout, host.stderr].find((output) => output.isTerminal);
    this.size = this.#output?.size ?? DEFAULT_SIZE;
    this.#raw = host.stdin.isTerminal ? host.stdin.raw() : undefined;
  }

  /** From now on the command's own terminal follows the size of ours. */
  attach(execution: Execution): void {
    this.#resizing = this.#output?.onResize(() => {
      const size = this.#output?.size;
      if (size !== undefined) execution.resize(size);
    });
  }

  [Symbol.dispose](): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#resizing?.[Symbol.dispose]();
    this.#raw?.[Symbol.dispose]();
  }
}

import type { ServerResponse } from 'node:http';

export type StreamWriterOptions = {
  readonly stallMs: number;
  /** Before whoever took nothing for that long is cut off. */
  readonly onStall: () => void;
  readonly heartbeatMs: number;
  readonly onIdle: () => void;
};

/**
 * Writes to a response that lasts. A write is done when the other end has taken what was written before, so nothing piles up here; who takes
 * nothing for `stallMs` is cut off. When there is nothing to write for `heartbeatMs`, `onIdle` is called, which may write.
 */
export class StreamWriter implements Disposable {
  readonly #response: ServerResponse;
  readonly #stallMs: number;
  readonly #onStall: () => void;
  readonly #idle: NodeJS.Timeout;

  constructor(response: ServerResponse, options: StreamWriterOptions) {
    this.#response = response;
    this.#stallMs = options.stallMs;
    this.#onStall = options.onStall;
    this.#idle = setInterval(options.onIdle, options.heartbeatMs);
    this.#idle.unref();
  }

  /** Resolves when there is room for more, or nobody to write to. */
  async write(text: string | Uint8Array): Promise<void> {
    this.#idle.refresh();
    if (this.#isOver() || this.#response.write(text)) return;
    await this.#drained();
  }

  /** Writes if there is room, else not at all. */
  tryWrite(text: string): void {
    if (!this.#isOver() && !this.#response.writableNeedDrain) this.#response.write(text);
  }

  #isOver(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const response = this.#response;
      const stalled = setTimeout(() => {
        this.#onStall();
        response.destroy();
      }, this.#stallMs);
      stalled.unref();
      const done = (): void => {
        clearTimeout(stalled);
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#idle);
  }
}

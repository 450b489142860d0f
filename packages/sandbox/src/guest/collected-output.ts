/** Both outputs of a command, collected. Whoever pushes sees to the bound. */
import type { Fault } from '@warren/protocol';
import { ChunkQueue } from './chunk-queue.ts';
import type { OutputSink } from './output-stream.ts';

const DONE: Promise<void> = Promise.resolve();

export class CollectedOutput {
  readonly stdout: Collector = new Collector(this);
  readonly stderr: Collector = new Collector(this);
  #failure: Fault | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Rejects when the sandbox is lost before both have ended. */
  whenEnded(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.stdout.isEnded && this.stderr.isEnded) return DONE;
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  collectorEnded(failure: Fault | undefined): void {
    if (failure !== undefined) {
      this.#failure ??= failure;
      this.#waiting?.reject(failure);
    } else if (this.stdout.isEnded && this.stderr.isEnded) {
      this.#waiting?.resolve();
    }
  }
}

class Collector implements OutputSink {
  readonly #owner: CollectedOutput;
  readonly #queue: ChunkQueue = new ChunkQueue();
  #isEnded = false;

  constructor(owner: CollectedOutput) {
    this.#owner = owner;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  push(bytes: Uint8Array): number {
    this.#queue.push(bytes);
    return bytes.length;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owner.collectorEnded(undefined);
  }

  fail(fault: Fault): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owner.collectorEnded(fault);
  }

  /** What has come; it is empty after that. */
  take(): Uint8Array {
    return this.#queue.takeAll();
  }
}

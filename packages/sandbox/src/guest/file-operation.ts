/** One operation on the files of a sandbox, from its request to its end. */
import { Fault } from '@warren/protocol';
import { SIGNALS } from '../signals.ts';
import type { Channel, ChannelListener, ChannelTraits, OutputName } from './channel.ts';
import type { RawExit } from './exit-message.ts';
import { fileFault } from './file-fault.ts';
import { encodeFileRequest, type FileRequest, fileAction } from './file-request.ts';
import type { GuestClient } from './guest-client.ts';
import type { OutputOwner, OutputSink } from './output-stream.ts';
import type { User } from './request-text.ts';
import { type Source, SourceFeed } from './source-feed.ts';

export type FileOperationOptions = {
  readonly user: User;
  /** Where its stdout goes. What the sink throws ends the whole connection. */
  readonly sink?: OutputSink | undefined;
  /** Content of a write. */
  readonly source?: Source | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Operations that change nothing: their caller need not wait until they have really stopped. */
const READING: ReadonlySet<FileRequest['kind']> = new Set(['read', 'list', 'stat']);

/**
 * Started by its constructor, which throws `invalid_argument`, `too_large`, `busy`, `aborted`, or what ended the sandbox.
 * Abort stops it: one that reads rejects at once, one that changes files when it has really stopped, so that nothing changes after that.
 */
export class FileOperation implements ChannelListener, OutputOwner {
  /** Settles when it has ended and all it had to say has come. Rejects with what went wrong. */
  readonly done: Promise<void>;

  readonly #request: FileRequest;
  readonly #options: FileOperationOptions;
  readonly #settleDone: PromiseWithResolvers<void>;
  readonly #channel: Channel;
  readonly #source: SourceFeed | undefined;
  #exit: RawExit | undefined;
  #isOutputEnded = false;
  /** Why it was stopped; this is then what `done` rejects with. */
  #stopped: { readonly error: unknown } | undefined;

  constructor(client: GuestClient, request: FileRequest, options: FileOperationOptions) {
    this.#request = request;
    this.#options = options;
    this.#settleDone = Promise.withResolvers<void>();
    this.done = this.#settleDone.promise;
    this.done.catch(() => {}); // A read that ends early does not ask.
    const frame = encodeFileRequest(request, options.user);
    if (options.signal?.aborted === true) throw this.#aborted();
    const traits: ChannelTraits = {
      isCommand: false,
      hasStdout: READING.has(request.kind),
      hasStderr: false,
      hasStdin: request.kind === 'write',
    };
    client.cork();
    try {
      this.#channel = client.open(frame, traits, this);
      const { input } = this.#channel;
      if (options.source !== undefined && input !== undefined) {
        this.#source = new SourceFeed(options.source, input, (error) => this.stop(error));
      }
    } finally {
      client.uncork();
    }
    options.signal?.addEventListener('abort', this, { once: true });
  }

  /** Ends it early, for this reason. */
  stop(error: unknown): void {
    if (this.#exit !== undefined || this.#stopped !== undefined) return;
    this.#stopped = { error };
    this.#channel.signal(SIGNALS.SIGTERM, 'process'); // A write takes its temporary file away on SIGTERM.
  }

  /** The abort signal fired. */
  handleEvent(): void {
    const fault = this.#aborted();
    this.stop(fault);
    if (!READING.has(this.#request.kind)) return;
    this.#options.sink?.fail(fault);
    this.#settleDone.reject(fault);
  }

  consumed(stream: OutputName, bytes: number): void {
    this.#channel.grant(stream, bytes);
  }

  started(): void {} // The channel does not let it through.

  output(stream: OutputName, bytes: Buffer): void {
    const { sink } = this.#options;
    const consumed = sink === undefined || this.#stopped !== undefined ? bytes.length : sink.push(bytes);
    if (consumed > 0) this.#channel.grant(stream, consumed);
  }

  outputEnded(stream: OutputName): void {
    if (stream === 'stderr') return;
    this.#isOutputEnded = true;
    this.#settle();
  }

  exited(exit: RawExit): void {
    this.#exit = exit;
    this.#source?.stop();
    this.#options.signal?.removeEventListener('abort', this);
    this.#settle();
  }

  lost(fault: Fault): void {
    this.#source?.stop();
    this.#options.signal?.removeEventListener('abort', this);
    this.#options.sink?.fail(fault);
    this.#settleDone.reject(fault);
  }

  #settle(): void {
    if (this.#exit === undefined || !this.#isOutputEnded) return;
    const problem = this.#problem(this.#exit);
    if (problem === undefined) {
      this.#options.sink?.end();
      this.#settleDone.resolve();
    } else {
      this.#options.sink?.fail(problem.fault);
      this.#settleDone.reject(problem.error);
    }
  }

  #problem(exit: RawExit): { readonly fault: Fault; readonly error: unknown } | undefined {
    if (exit.kind === 'exited' && exit.code === 0) return undefined; // Done, even if a stop was on its way.
    if (this.#stopped !== undefined) {
      const { error } = this.#stopped;
      return { fault: error instanceof Fault ? error : this.#aborted(), error };
    }
    const action = fileAction(this.#request);
    const fault =
      exit.kind === 'failed'
        ? fileFault(action, this.#request.path, exit)
        : new Fault(
            'internal',
            `Cannot ${action}: the process that does it ended with ${exit.kind === 'exited' ? `code ${exit.code}` : `signal ${exit.signal}`}`,
          );
    return { fault, error: fault };
  }

  #aborted(): Fault<'aborted'> {
    return new Fault('aborted', `Cannot ${fileAction(this.#request)}: the caller stopped it`, { cause: this.#options.signal?.reason });
  }
}

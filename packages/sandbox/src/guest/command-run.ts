/**
 * One command from its request to its exit: feeds its stdin, passes its output on, and stops it when its time, its output or its caller's
 * patience is over. Whatever the reason, the first one is what the exit says.
 */
import { Fault } from '@warren/protocol';
import type { ExecLimits, Exit, LimitName, Limits } from '../contract.ts';
import { SIGNALS } from '../signals.ts';
import type { Channel, ChannelListener, Ended, OutputName } from './channel.ts';
import { type ExecRequest, encodeExec } from './exec-request.ts';
import type { RawExit } from './exit-message.ts';
import { exitOf, exitWithoutAnswer, type Stop } from './exit-of.ts';
import type { GuestClient } from './guest-client.ts';
import type { OutputOwner, OutputSink } from './output-stream.ts';
import { type Source, SourceFeed } from './source-feed.ts';

/** How often limits of the whole sandbox were hit, counted by the kernel: `{ memory: 2 }` after two OOM kills. */
export type LimitCounts = Readonly<Partial<Record<LimitName, number>>>;
/**
 * Reads them. Called before and after each command, so it should be quick; what it throws means "not known". `isKilled`: the command was ended by SIGKILL,
 * which is what the kernel does about memory.
 */
export type ReadLimitCounts = (moment: 'before' | 'after', isKilled: boolean) => LimitCounts | Promise<LimitCounts>;

export type CommandOptions = {
  readonly request: ExecRequest;
  readonly source?: Source | undefined;
  readonly timeoutMs?: number | undefined;
  readonly killGraceMs: number;
  readonly outputBytesMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: ExecLimits | undefined;
  readonly sandboxLimits?: Limits | undefined;
  readonly readLimitCounts?: ReadLimitCounts | undefined;
};

/** Where its output goes. */
export type CommandSinks = { readonly [Name in OutputName]: OutputSink };

/** How long a tree that was sent SIGKILL may take to be gone. Then something inside holds up pid 1 itself, and only the end of the sandbox is left. */
const KILL_WAIT_MS = 10_000;
const UNKNOWN: LimitCounts = {};

export class CommandRun implements ChannelListener, OutputOwner {
  /** Rejects with `sandbox_gone` or `protocol_error`, or with what the source of its stdin threw. */
  readonly exit: Promise<Exit>;
  /** Rejects when the command never started. */
  readonly pid: Promise<number>;

  readonly #options: CommandOptions;
  readonly #sinks: CommandSinks;
  readonly #settleExit: PromiseWithResolvers<Exit>;
  readonly #settlePid: PromiseWithResolvers<number>;
  #client: GuestClient | undefined;
  #channel: Channel | undefined;
  #source: SourceFeed | undefined;
  #startedAt = 0;
  #countsBefore: LimitCounts | Promise<LimitCounts> = UNKNOWN;
  #outputBytes = 0;
  #isOutputCut = false;
  #timer: NodeJS.Timeout | undefined;
  #stop: Stop | undefined;
  #sourceError: { readonly error: unknown } | undefined;
  #hasExited = false;

  constructor(options: CommandOptions, sinks: CommandSinks) {
    this.#options = options;
    this.#sinks = sinks;
    this.#settleExit = Promise.withResolvers<Exit>();
    this.#settlePid = Promise.withResolvers<number>();
    this.exit = this.#settleExit.promise;
    this.pid = this.#settlePid.promise;
    this.exit.catch(ignore); // Not everybody asks how it ended, or for the pid.
    this.pid.catch(ignore);
  }

  /** Sends the request, with as much of its stdin as there is credit for, in one write. Throws what `encodeExec` and `GuestClient.open` throw. */
  start(client: GuestClient): void {
    this.#client = client;
    const { request, source, timeoutMs, signal } = this.#options;
    const frame = encodeExec(request);
    this.#startedAt = performance.now();
    if (signal?.aborted === true) {
      this.#refuseStart();
      return;
    }
    this.#countsBefore = this.#readCounts('before', false);
    const hasPty = request.pty !== undefined;
    const traits = {
      isCommand: true,
      hasStdout: true,
      hasStderr: !hasPty,
      hasStdin: request.hasStdin === true,
      windowBytes: request.windowBytes,
      endsTree: request.endsTree,
    };
    if (source === undefined) {
      this.#channel = client.open(frame, traits, this);
    } else {
      client.cork();
      try {
        this.#channel = client.open(frame, traits, this);
        const input = this.#channel.input;
        if (input !== undefined) this.#source = new SourceFeed(source, input, (error) => this.#failSource(error));
      } finally {
        client.uncork();
      }
    }
    if (timeoutMs !== undefined) this.#timer = setTimeout(reachDeadline, timeoutMs, this);
    signal?.addEventListener('abort', this, { once: true });
  }

  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Stops it for this reason, unless there is one already: politely when `graceMs` is given, then surely. */
  stop(reason: Stop, graceMs?: number): void {
    if (this.#hasExited) return;
    this.#stop ??= reason;
    clearTimeout(this.#timer);
    if (graceMs === undefined) {
      this.#kill();
    } else {
      this.#channel?.signal(SIGNALS.SIGTERM, 'tree');
      this.#timer = setTimeout(killNow, graceMs, this);
    }
  }

  reachDeadline(): void {
    const { timeoutMs, killGraceMs } = this.#options;
    this.stop({ by: 'deadline', detail: `it ran longer than its ${timeoutMs} ms` }, killGraceMs);
  }

  killNow(): void {
    this.#kill();
  }

  /** The abort signal fired. */
  handleEvent(): void {
    this.stop({ by: 'caller', detail: 'the caller stopped it' });
  }

  consumed(stream: OutputName, bytes: number): void {
    this.#channel?.grant(stream, bytes);
  }

  started(pid: number): void {
    this.#settlePid.resolve(pid);
  }

  output(stream: OutputName, bytes: Buffer): void {
    const max = this.#options.outputBytesMax;
    this.#outputBytes += bytes.length;
    const excess = max === undefined ? 0 : Math.min(bytes.length, this.#outputBytes - max);
    const consumed = excess <= 0 ? this.#sinks[stream].push(bytes) : this.#cutOutput(stream, bytes, excess);
    if (consumed > 0) this.#channel?.grant(stream, consumed);
  }

  outputEnded(stream: OutputName): void {
    this.#sinks[stream].end();
  }

  exited(raw: RawExit): void {
    const wallMs = performance.now() - this.#startedAt;
    this.#finish();
    if (raw.kind === 'failed') {
      this.#settlePid.reject(new Fault('not_found', 'Cannot say the pid of the command: it did not start'));
    }
    if (this.#sourceError !== undefined) {
      this.#settleExit.reject(this.#sourceError.error);
      return;
    }
    const before = this.#countsBefore;
    const after = this.#readCounts('after', raw.kind === 'signalled' && raw.signal === SIGNALS.SIGKILL);
    if (before instanceof Promise || after instanceof Promise) {
      void Promise.all([before, after]).then(
        ([first, second]) => this.#settle(raw, wallMs, risen(first, second)),
        () => this.#settle(raw, wallMs, []),
      );
    } else {
      this.#settle(raw, wallMs, risen(before, after));
    }
  }

  lost(fault: Fault, ended: Ended | undefined): void {
    for (const sink of [this.#sinks.stdout, this.#sinks.stderr]) {
      if (ended === undefined) sink.fail(fault);
      else sink.end();
    }
    this.#settlePid.reject(fault);
    if (this.#hasExited) return;
    this.#finish();
    if (ended === undefined) this.#settleExit.reject(fault);
    else this.#settleExit.resolve(exitWithoutAnswer(ended as Stop, performance.now() - this.#startedAt)); // `GuestSession.end` takes only a Stop.
  }

  #refuseStart(): void {
    this.#hasExited = true;
    this.#settlePid.reject(new Fault('aborted', 'Cannot say the pid of the command: its caller stopped it before it started'));
    this.#settleExit.resolve(exitWithoutAnswer({ by: 'caller', detail: 'the caller stopped it before it started' }, 0));
    this.#sinks.stdout.end();
    this.#sinks.stderr.end();
  }

  /** The sinks get exactly what the limit allows and then their end; whatever else comes is thrown away. */
  #cutOutput(stream: OutputName, bytes: Buffer, excess: number): number {
    if (this.#isOutputCut) return bytes.length;
    this.#isOutputCut = true;
    const kept = bytes.length - excess;
    const consumed = kept > 0 ? this.#sinks[stream].push(bytes.subarray(0, kept)) : 0;
    this.#sinks.stdout.end();
    this.#sinks.stderr.end();
    this.stop({ by: 'output', detail: `its output exceeded ${this.#options.outputBytesMax} bytes` });
    return consumed + excess;
  }

  #failSource(error: unknown): void {
    this.#sourceError = { error };
    this.#kill();
  }

  #kill(): void {
    this.#channel?.signal(SIGNALS.SIGKILL, 'tree');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(endStuck, KILL_WAIT_MS, this);
    this.#timer.unref();
  }

  /** pid 1 does not answer. */
  endStuck(): void {
    const detail = `the sandbox did not end a killed command within ${KILL_WAIT_MS} ms`;
    this.#client?.destroy(new Fault('sandbox_gone', `Cannot go on in the sandbox: ${detail}`), this.#stop ?? { by: 'destroyed', detail });
  }

  #finish(): void {
    this.#hasExited = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this);
    this.#source?.stop();
  }

  #settle(raw: RawExit, wallMs: number, countersRisen: readonly LimitName[]): void {
    const { limits, sandboxLimits } = this.#options;
    this.#settleExit.resolve(
      exitOf(raw, {
        wallMs,
        stop: this.#stop,
        endsTree: this.#options.request.endsTree === true,
        isKilled: this.#channel?.isKilled === true,
        countersRisen,
        cpuSeconds: limits?.cpuSeconds,
        fileBytes: limits?.fileBytes ?? sandboxLimits?.fileBytes,
        memoryBytes: sandboxLimits?.memoryBytes,
      }),
    );
  }

  #readCounts(moment: 'before' | 'after', isKilled: boolean): LimitCounts | Promise<LimitCounts> {
    const read = this.#options.readLimitCounts;
    if (read === undefined) return UNKNOWN;
    try {
      const counts = read(moment, isKilled);
      if (counts instanceof Promise) counts.catch(ignore); // Seen when the command has ended.
      return counts;
    } catch {
      return UNKNOWN; // The exit then does not say which limit it was.
    }
  }
}

function reachDeadline(run: CommandRun): void {
  run.reachDeadline();
}

function endStuck(run: CommandRun): void {
  run.endStuck();
}

function killNow(run: CommandRun): void {
  run.killNow();
}

function ignore(): void {}

function risen(before: LimitCounts, after: LimitCounts): readonly LimitName[] {
  if (after === UNKNOWN || before === UNKNOWN) return NONE;
  const names = Object.keys(after) as LimitName[]; // Object.keys forgets the keys of the type.
  return names.filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
}

const NONE: readonly LimitName[] = [];

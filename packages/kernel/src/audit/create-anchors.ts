/**
 * Anchors: heads kept where whoever can change the log cannot reach. A log that was rolled back as a whole still fits together; it does not fit a head that somebody
 * else has. Nothing here is waited for by an append, and a target that fails does not stop the others.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import type { Audit, TreeHead } from './audit.ts';
import { toHeadDocument } from './head-document.ts';

export type AnchorTarget =
  /** A line of JSON for each head. */
  | { readonly kind: 'file'; readonly path: string }
  /** `post` sends the text and throws when it did not arrive. */
  | { readonly kind: 'webhook'; readonly url: string; readonly post: (url: string, body: string, signal: AbortSignal) => Promise<void> }
  /** A clone that is pushed from; `run` runs git with these arguments in the directory and throws when it fails. */
  | {
      readonly kind: 'git';
      readonly directory: string;
      readonly run: (args: readonly string[], directory: string, signal: AbortSignal) => Promise<void>;
      /** Default true. */
      readonly isPushed?: boolean | undefined;
    };

export type AnchorStatus = {
  readonly kind: AnchorTarget['kind'];
  readonly target: string;
  /** The newest head that arrived. */
  readonly anchored: TreeHead | undefined;
  /** Entries that no anchor covers yet. */
  readonly behind: number;
  readonly failures: number;
  readonly lastError: string | undefined;
  readonly nextAt: number;
};

export interface Anchors extends AsyncDisposable {
  /** Anchors the head of now at every target that is due, or at all. Resolves when each has succeeded or failed; never throws. */
  anchor(options?: { readonly isForced?: boolean }): Promise<readonly AnchorStatus[]>;
  status(): readonly AnchorStatus[];
  /** What runs is ended. */
  close(): Promise<void>;
}

export type AnchorsParts = {
  readonly audit: Pick<Audit, 'head'>;
  readonly targets: readonly AnchorTarget[];
  readonly everyMs: number;
  readonly clock: Clock;
  /** Calls back after a time; the default keeps no process alive. A test owns it. */
  readonly later?: ((ms: number, action: () => void) => () => void) | undefined;
};

const TARGETS_MAX = 16;
const ATTEMPT_MS_MAX = 60_000;
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 900_000;
const ERROR_CHARACTERS_MAX = 500;

export function createAnchors(parts: AnchorsParts): Anchors {
  if (parts.targets.length > TARGETS_MAX) {
    throw new Fault('invalid_argument', `Cannot anchor at ${parts.targets.length} targets: the limit is ${TARGETS_MAX}`);
  }
  if (!Number.isFinite(parts.everyMs) || parts.everyMs < BACKOFF_MS_MIN) {
    throw new Fault('invalid_argument', `Cannot anchor every ${parts.everyMs} ms: the least is ${BACKOFF_MS_MIN}`);
  }
  return new TimedAnchors(parts);
}

class TimedAnchors implements Anchors {
  readonly #parts: AnchorsParts;
  readonly #targets: readonly Target[];
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #cancel: () => void = () => {};

  constructor(parts: AnchorsParts) {
    this.#parts = parts;
    this.#targets = parts.targets.map((target) => new Target(target, parts));
    this.#plan();
  }

  async anchor({ isForced = true }: { readonly isForced?: boolean } = {}): Promise<readonly AnchorStatus[]> {
    await this.#running;
    if (!this.#abort.signal.aborted) {
      const now = this.#parts.clock.now();
      const due = this.#targets.filter(({ nextAt }) => isForced || nextAt <= now);
      this.#running ??= Promise.all(due.map((target) => target.attempt(this.#abort.signal))).then(() => {
        this.#running = undefined;
        this.#plan();
      });
      await this.#running;
    }
    return this.status();
  }

  status(): readonly AnchorStatus[] {
    return this.#targets.map((target) => target.status());
  }

  async close(): Promise<void> {
    this.#cancel();
    this.#abort.abort(new Fault('aborted', 'Cannot anchor: the audit is closed'));
    await this.#running;
    this.#cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One timer, for the target that is due first. */
  #plan(): void {
    this.#cancel();
    if (this.#abort.signal.aborted || this.#targets.length === 0) return;
    const next = Math.min(...this.#targets.map(({ nextAt }) => nextAt));
    const later = this.#parts.later ?? laterByTimer;
    this.#cancel = later(Math.max(0, next - this.#parts.clock.now()), () => {
      this.anchor({ isForced: false }).catch(() => {}); // It never throws; what fails is in the status.
    });
  }
}

class Target {
  readonly #target: AnchorTarget;
  readonly #parts: AnchorsParts;
  #anchored: TreeHead | undefined;
  #failures = 0;
  #lastError: string | undefined;
  nextAt: number;

  constructor(target: AnchorTarget, parts: AnchorsParts) {
    this.#target = target;
    this.#parts = parts;
    this.nextAt = parts.clock.now() + parts.everyMs;
  }

  async attempt(signal: AbortSignal): Promise<void> {
    const { audit, clock, everyMs } = this.#parts;
    const head = audit.head();
    try {
      if (head.size !== this.#anchored?.size)
        await send(this.#target, head, AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]));
      this.#anchored = head;
      this.#failures = 0;
      this.#lastError = undefined;
      this.nextAt = clock.now() + everyMs;
    } catch (error) {
      this.#failures += 1;
      this.#lastError = (error instanceof Error ? error.message : 'it failed').slice(0, ERROR_CHARACTERS_MAX);
      this.nextAt = clock.now() + Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(this.#failures - 1, 20));
    }
  }

  status(): AnchorStatus {
    const target = this.#target;
    return {
      kind: target.kind,
      target: target.kind === 'file' ? target.path : target.kind === 'git' ? target.directory : withoutSecrets(target.url),
      anchored: this.#anchored,
      behind: this.#parts.audit.head().size - (this.#anchored?.size ?? 0),
      failures: this.#failures,
      lastError: this.#lastError,
      nextAt: this.nextAt,
    };
  }
}

async function send(target: AnchorTarget, head: TreeHead, signal: AbortSignal): Promise<void> {
  const line = `${JSON.stringify(toHeadDocument(head))}\n`;
  switch (target.kind) {
    case 'file':
      return await appendLine(target.path, line);
    case 'webhook':
      return await within(target.post(target.url, line, signal), signal);
    case 'git': {
      await appendLine(join(target.directory, 'heads.jsonl'), line);
      const commit = [
        '-c',
        'core.hooksPath=/dev/null',
        '-c',
        'commit.gpgSign=false',
        'commit',
        '--quiet',
        '--message',
        `Head of ${head.size} entries`,
      ];
      for (const args of [
        ['add', '--', 'heads.jsonl'],
        [...commit, '--', 'heads.jsonl'],
        ...(target.isPushed === false ? [] : [['push', '--quiet']]),
      ]) {
        await within(target.run(args, target.directory, signal), signal);
      }
      return;
    }
    default:
      return target satisfies never;
  }
}

async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.writeFile(line);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Ends the wait with the signal; what was handed in hears the same signal and ends its work. */
async function within(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function withoutSecrets(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'a webhook';
}

function laterByTimer(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, Math.min(ms, 2_147_483_647));
  timer.unref();
  return () => clearTimeout(timer);
}

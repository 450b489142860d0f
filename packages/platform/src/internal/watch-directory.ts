/**
 * Tells that something below a directory changed, and goes on when another directory comes in its place. A watch is of a directory, not of its name, and may miss what is
 * written into a folder while that is new: so each change begins a fresh watch before it is told, and now and then the name is looked up.
 */
import { type BigIntStats, type FSWatcher, statSync, watch } from 'node:fs';

export type WatchParts = {
  readonly directory: string;
  /** Called for changes that came together, once. Must not throw. */
  readonly onChange: () => void;
  /** What an operator should know: that changes are not noticed, and that they are again. */
  readonly say: (message: string) => void;
};

/** Whoever writes files in pairs is given this long to finish. */
const SETTLE_MS = 50;
const LOOK_MS = 1_000;

/** Watches when it returns, or has said why not; then it tries again until it is disposed. */
export function watchDirectory(parts: WatchParts): Disposable {
  const watched = new DirectoryWatch(parts);
  watched.begin();
  return watched;
}

class DirectoryWatch implements Disposable {
  readonly #parts: WatchParts;
  #watcher: FSWatcher | undefined;
  /** Which directory is watched; undefined: none. */
  #identity: string | undefined;
  #failure: string | undefined;
  #settling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#attach();
    this.#looking = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    if (this.#settling !== undefined) return;
    const identity = identityOf(this.#parts.directory);
    const isUnseen = identity === undefined ? this.#failure === undefined : identity !== this.#identity;
    if (isUnseen) this.#changed();
  }

  #changeSoon(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#changed(), SETTLE_MS).unref();
  }

  #changed(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    const wasWatching = this.#watcher !== undefined;
    this.#attach();
    // Tried again each second and failed again: nothing that was not told.
    if (wasWatching || this.#watcher !== undefined) this.#parts.onChange();
  }

  #attach(): void {
    const { directory, say } = this.#parts;
    this.#detach();
    const identity = identityOf(directory);
    if (identity === undefined) {
      this.#fail('it is gone');
      return;
    }
    try {
      const watcher = watch(directory, { recursive: true, persistent: false }, () => this.#changeSoon());
      watcher.on('error', (error) => {
        if (watcher !== this.#watcher) return;
        this.#detach(); // The next look begins another.
        this.#fail(codeOf(error));
      });
      this.#watcher = watcher;
    } catch (error) {
      this.#fail(codeOf(error));
      return;
    }
    this.#identity = identity;
    if (this.#failure !== undefined) say(`Changes in ${directory} are noticed again`);
    this.#failure = undefined;
  }

  #detach(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = undefined;
  }

  #fail(failure: string): void {
    if (failure !== this.#failure) this.#parts.say(`Changes in ${this.#parts.directory} are not noticed: ${failure}`);
    this.#failure = failure;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#settling);
    clearInterval(this.#looking);
    this.#detach();
  }
}

/** Undefined when there is no directory. The time of its birth, since numbers are given again. */
function identityOf(directory: string): string | undefined {
  let found: BigIntStats | undefined;
  try {
    found = statSync(directory, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // A directory above it cannot be searched: whoever reads it says so.
  }
  return found?.isDirectory() === true ? `${found.dev}:${found.ino}:${found.birthtimeNs}` : undefined;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error); // Of whatever was thrown, only asked for.
}

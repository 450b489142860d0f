/**
 * How much a workspace stores, and whether there is room for more. Counting means walking its directory, so it is counted now and then: when somebody first wants to store, later beside the work, so seldom that it takes a twentieth of the
 * time at most, and again before anybody is refused. In between what is stored is added up. Whoever runs a command says that nobody knows how much it will write, and then it is counted sooner.
 */
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';

/** Bytes by what they are in. */
export type StoredParts = {
  /** In the directory that agents work in. */
  readonly files: number;
  readonly memories: number;
  readonly sessions: number;
  /** In agentfs, all versions together. */
  readonly storedFiles: number;
  readonly secrets: number;
};

export interface Room {
  /**
   * Whether so many bytes more may be stored; they count from then on. `isOpenEnded`: it may become more than that. Faults: `quota_exceeded` (`stored_bytes_max` of the workspace is reached).
   */
  require(workspace: WorkspaceId, bytes: number, options?: { readonly isOpenEnded?: boolean }): Promise<void>;
}

export type StoredBytesParts = {
  readonly count: (workspace: WorkspaceId, signal: AbortSignal) => Promise<StoredParts>;
  /** Faults: `not_found`. */
  readonly maxOf: (workspace: WorkspaceId) => Promise<number>;
  /** Milliseconds that only go forward. */
  readonly elapsedMs: () => number;
};

/** Nobody is counted again sooner than this. */
const AGAIN_MS = 1_000;
/** What nobody wrote open-endedly in is counted again this often. */
const SETTLED_MS = 60_000;
/** Of the time that counting takes. */
const PAUSE_FACTOR = 19;
/** Whoever stored the longest ago is counted anew when it stores again. */
const KNOWN_MAX = 1_000;

type Counted = { readonly parts: StoredParts; readonly total: number; readonly at: number; readonly tookMs: number };
type Account = { counted: Counted | undefined; counting: Promise<Counted> | undefined; added: number; isOpenEnded: boolean };

export class StoredBytes implements Room, AsyncDisposable {
  readonly #parts: StoredBytesParts;
  readonly #accounts = new Map<WorkspaceId, Account>();
  readonly #ended = new AbortController();

  constructor(parts: StoredBytesParts) {
    this.#parts = parts;
  }

  async require(workspace: WorkspaceId, bytes: number, { isOpenEnded = false } = {}): Promise<void> {
    const max = await this.#maxOf(workspace);
    if (max === undefined) return;
    const account = this.#accountOf(workspace);
    let counted = account.counted ?? (await this.#count(workspace, account));
    const isOver = (): boolean => counted.total + account.added + bytes > max;
    if (this.#isDue(account, counted, isOver())) {
      const counting = this.#count(workspace, account);
      if (isOver()) counted = await counting;
      else counting.catch(() => {}); // The next who stores tries again.
    }
    if (isOver()) throw full(workspace, { bytes, max, counted, added: account.added });
    account.added += bytes;
    account.isOpenEnded ||= isOpenEnded;
  }

  forget(workspace: WorkspaceId): void {
    this.#accounts.delete(workspace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Fault('aborted', 'Cannot count what is stored: Warren is stopping'));
    await Promise.allSettled([...this.#accounts.values()].map(({ counting }) => counting));
  }

  /** Undefined: it is just being made, of a file that has its own bounds. */
  async #maxOf(workspace: WorkspaceId): Promise<number | undefined> {
    try {
      return await this.#parts.maxOf(workspace);
    } catch (error) {
      if (isFault(error, 'not_found')) return undefined;
      throw error;
    }
  }

  #accountOf(workspace: WorkspaceId): Account {
    const account = this.#accounts.get(workspace) ?? { counted: undefined, counting: undefined, added: 0, isOpenEnded: false };
    this.#accounts.delete(workspace);
    this.#accounts.set(workspace, account);
    const oldest = this.#accounts.size > KNOWN_MAX ? this.#accounts.keys().next().value : undefined;
    if (oldest !== undefined) this.#accounts.delete(oldest);
    return account;
  }

  #isDue({ isOpenEnded }: Account, { at, tookMs }: Counted, isOver: boolean): boolean {
    return this.#parts.elapsedMs() - at >= Math.max(isOpenEnded || isOver ? AGAIN_MS : SETTLED_MS, tookMs * PAUSE_FACTOR);
  }

  #count(workspace: WorkspaceId, account: Account): Promise<Counted> {
    account.counting ??= this.#countNow(workspace, account).finally(() => {
      account.counting = undefined;
    });
    return account.counting;
  }

  async #countNow(workspace: WorkspaceId, account: Account): Promise<Counted> {
    const [startedAt, before] = [this.#parts.elapsedMs(), account.added];
    account.isOpenEnded = false; // Who writes from now on may not be counted.
    const parts = await this.#parts.count(workspace, this.#ended.signal);
    const at = this.#parts.elapsedMs();
    account.counted = { parts, total: totalOf(parts), at, tookMs: at - startedAt };
    account.added -= before;
    return account.counted;
  }
}

export function totalOf({ files, memories, sessions, storedFiles, secrets }: StoredParts): number {
  return files + memories + sessions + storedFiles + secrets;
}

const WORDS = {
  files: 'the files agents work in',
  memories: 'memories',
  sessions: 'sessions',
  storedFiles: 'files of file.*',
  secrets: 'secrets',
} as const satisfies Record<keyof StoredParts, string>;

type Refusal = { readonly bytes: number; readonly max: number; readonly counted: Counted; readonly added: number };

function full(workspace: WorkspaceId, { bytes, max, counted, added }: Refusal): Fault {
  const [largest, size] = Object.entries(counted.parts).reduce((one, other) => (other[1] > one[1] ? other : one));
  const used = counted.total + added;
  const what = WORDS[largest as keyof StoredParts]; // Its keys.
  return new Fault(
    'quota_exceeded',
    `Cannot store ${bytes} bytes in workspace "${workspace}": ${used} are stored, ${size} of them in ${what}, and stored_bytes_max is ${max}`,
    {
      details: {
        ...{ workspace, dim: 'stored_bytes', used, hard_limit: max, largest: what },
        fix: `warren workspace quota ${workspace} stored_bytes_max=NUMBER`,
      },
    },
  );
}

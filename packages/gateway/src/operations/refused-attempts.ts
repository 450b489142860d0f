/**
 * What was tried and refused, in the audit: the first of its kind at once, those that follow within a minute as a number. So who guesses or pushes is seen, and cannot fill the disk.
 * An attempt changes nothing: that its entry cannot be written changes nothing either, it is counted and written later.
 */
import type { Audit, AuditEntry } from '@warren/kernel';

export type RefusedAttempt = Omit<AuditEntry, 'outcome' | 'details'> & { readonly details?: Readonly<Record<string, string>> };

export type RefusedAttemptsParts = {
  readonly audit: Pick<Audit, 'append'>;
  readonly now: () => number;
  /** Calls back after a time, and keeps no process alive; returns what calls it off. */
  readonly later?: ((ms: number, action: () => void) => () => void) | undefined;
};

type Kind = { attempt: RefusedAttempt; count: number; since: number; cancel: () => void };

export const WINDOW_MS = 60_000;
const KINDS_MAX = 1_024;
const OTHERS = 'others';

export class RefusedAttempts {
  readonly #parts: RefusedAttemptsParts;
  /** Those that had an entry within the last minute. `count`: attempts that are in none yet. */
  readonly #kinds = new Map<string, Kind>();

  constructor(parts: RefusedAttemptsParts) {
    this.#parts = parts;
  }

  /** Never rejects. Resolves when it is on disk, or counted. */
  async add(attempt: RefusedAttempt): Promise<void> {
    const own = JSON.stringify([attempt.workspace, attempt.actor, attempt.action, attempt.details]);
    const key = this.#kinds.has(own) || this.#kinds.size < KINDS_MAX ? own : OTHERS;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      if (known.count === 0) known.since = this.#parts.now();
      known.count += 1;
      known.attempt = attempt;
      return;
    }
    const kind: Kind = { attempt, count: 1, since: this.#parts.now(), cancel: () => {} };
    this.#kinds.set(key, kind);
    this.#plan(key, kind);
    await this.#write(kind);
  }

  /** Writes what is counted, and counts no more. */
  async close(): Promise<void> {
    const kinds = [...this.#kinds.values()];
    this.#kinds.clear();
    for (const kind of kinds) {
      kind.cancel();
      if (kind.count > 0) await this.#write(kind);
    }
  }

  #plan(key: string, kind: Kind): void {
    const later = this.#parts.later ?? laterByTimer;
    kind.cancel = later(WINDOW_MS, () => {
      if (kind.count === 0) {
        this.#kinds.delete(key);
        return;
      }
      this.#plan(key, kind);
      void this.#write(kind);
    });
  }

  async #write(kind: Kind): Promise<void> {
    const { attempt, count, since } = kind;
    kind.count = 0;
    const details = { ...attempt.details, ...(count > 1 && { attempts: count, since: new Date(since).toISOString() }) };
    try {
      await this.#parts.audit.append({ ...attempt, outcome: 'denied', ...(Object.keys(details).length > 0 && { details }) });
    } catch {
      if (kind.count === 0) kind.since = since;
      kind.count += count; // With the next minute.
    }
  }
}

function laterByTimer(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
}

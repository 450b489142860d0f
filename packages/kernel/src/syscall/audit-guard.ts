/**
 * The audit as the gate uses it, and whoever records what people do. What could not be written is kept and stands in the way: before anything else is decided or carried out it has to
 * be written. So a broken audit stops the gate after the calls that were under way, and works as its own probe for when it is well again; no entry is lost
 * while the process lives, and after its death the journal still has what the audit lacks.
 */
import { isFault } from '@warren/protocol';
import type { Audit, AuditEntry, Receipt } from '../audit/audit.ts';

export class AuditGuard {
  readonly #audit: Pick<Audit, 'append' | 'check'>;
  readonly #missing: { readonly entry: AuditEntry; readonly onWritten: () => void }[] = [];
  #repairing: Promise<void> | undefined;

  #isChecked = false;

  constructor(audit: Pick<Audit, 'append' | 'check'>) {
    this.#audit = audit;
  }

  /** Entries that could not be written yet. No more than calls were under way and decisions being made when it failed. */
  get missing(): number {
    return this.#missing.length;
  }

  /** Throws what the audit throws as long as something is missing, or nothing could be written. */
  async ready(): Promise<void> {
    if (this.#missing.length > 0) await this.repair();
    this.check();
  }

  /** Throws when it can be seen that nothing could be written. Looks once for all who ask in one turn of the loop. */
  check(): void {
    if (this.#isChecked) return;
    this.#audit.check();
    this.#isChecked = true;
    setImmediate(() => {
      this.#isChecked = false;
    });
  }

  /** Rejects when it is not on disk; it is tried again later all the same. */
  async append(entry: AuditEntry, onWritten: () => void = () => {}): Promise<Receipt> {
    try {
      const receipt = await this.#write(entry);
      onWritten();
      return receipt;
    } catch (error) {
      this.#missing.push({ entry, onWritten });
      throw error;
    }
  }

  /** What is about to be done. When it cannot be written nothing is done, and so there is nothing to write later. */
  async announce(entry: AuditEntry): Promise<Receipt> {
    return await this.#write(entry);
  }

  /** What the audit will never take is recorded by what it is about: it must not stand in the way for ever, nor be forgotten. */
  async #write(entry: AuditEntry): Promise<Receipt> {
    try {
      return await this.#audit.append(entry);
    } catch (error) {
      if (!isFault(error, 'too_large') && !isFault(error, 'invalid_argument')) throw error;
      return await this.#audit.append(reduced(entry, error.message));
    }
  }

  repair(): Promise<void> {
    this.#repairing ??= this.#repair().finally(() => {
      this.#repairing = undefined;
    });
    return this.#repairing;
  }

  async #repair(): Promise<void> {
    for (let next = this.#missing[0]; next !== undefined; next = this.#missing[0]) {
      await this.#write(next.entry);
      next.onWritten();
      this.#missing.shift();
    }
  }
}

function reduced({ kind, workspace, actor, action, outcome, callId, approvalId, inputHash, details }: AuditEntry, why: string): AuditEntry {
  const from = details?.['from']; // Of an operation that begins: where to look for others that did not end.
  const kept = { ...(typeof from === 'number' && { from }), reduced: why };
  return { kind, workspace, actor, action, outcome, callId, approvalId, inputHash, details: kept };
}

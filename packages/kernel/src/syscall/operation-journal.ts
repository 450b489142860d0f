/**
 * What people and programs change by an operation, in the audit: that it begins, before anything is changed, and what came of it, before it is answered. A crash between the two leaves
 * an entry that says who began what; the next start adds that nobody knows how it ended (`closeLostOperations`).
 */
import { isFault, type JsonObject } from '@warren/protocol';
import type { Audit, AuditEntry } from '../audit/audit.ts';
import { redactInput } from '../audit/redact-input.ts';
import { AuditGuard } from './audit-guard.ts';

export type OperationEntry = Pick<AuditEntry, 'workspace' | 'actor' | 'action' | 'input' | 'details'>;

export type OperationJournalParts = {
  readonly audit: Pick<Audit, 'append' | 'check' | 'head'>;
  readonly newId: () => string;
};

export class OperationJournal {
  readonly #audit: Pick<Audit, 'append' | 'check' | 'head'>;
  readonly #guard: AuditGuard;
  readonly #newId: () => string;
  /** Operations whose end is not on disk: an entry of each stands here or behind. */
  readonly #open = new Map<string, number>();

  constructor({ audit, newId }: OperationJournalParts) {
    this.#audit = audit;
    this.#guard = new AuditGuard(audit);
    this.#newId = newId;
  }

  /** Throws what `act` throws, and what the audit throws: before the first entry is on disk nothing is done, before the second nothing is answered. */
  async record<Result>(
    operation: OperationEntry,
    act: () => Promise<Result>,
    describe: (result: Result) => JsonObject | undefined = () => undefined,
  ): Promise<Result> {
    await this.#guard.ready();
    const callId = this.#newId();
    const entry = { kind: 'operator', ...operation, callId } as const;
    this.#open.set(callId, this.#audit.head().size);
    try {
      await this.#guard.announce({ ...entry, outcome: 'begun', details: { ...entry.details, from: Math.min(...this.#open.values()) } });
    } catch (error) {
      this.#open.delete(callId);
      throw error;
    }
    const onWritten = (): void => void this.#open.delete(callId);
    let result: Result;
    try {
      result = await act();
    } catch (error) {
      await this.#guard.append({ ...entry, ...failureOf(error) }, onWritten);
      throw error;
    }
    await this.#guard.append({ ...entry, outcome: 'success', details: merged(entry.details, describe(result)) }, onWritten);
    return result;
  }
}

function merged(one: JsonObject | undefined, other: JsonObject | undefined): JsonObject | undefined {
  return one === undefined && other === undefined ? undefined : { ...one, ...other };
}

function failureOf(error: unknown): Pick<AuditEntry, 'outcome' | 'error'> {
  const isDenied = isFault(error, 'permission_denied') || isFault(error, 'conflict');
  const said = isFault(error)
    ? { type: error.code, message: String(redactInput(error.message)) }
    : { type: 'internal', message: 'an error of ours' };
  return { outcome: isDenied ? 'denied' : 'failure', error: said };
}

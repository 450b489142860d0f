/**
 * What approvals need of the gate: to record, to judge edited arguments, to carry a call out. A kernel is open before its gate is, so they find each
 * other here; without a gate questions can be read and withdrawn by the end of their process, and nothing can be decided.
 */
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { AuditEntry } from '../audit/audit.ts';
import type { JsonObject } from '../internal/json.ts';
import type { AskTerms, RuleRef } from '../policy/policy.ts';
import type { Transaction } from '../store/store.ts';
import type { CallRow } from '../store/tables/call-table.ts';

export interface Desk {
  /** Throws what the audit throws: nothing is decided that could not be recorded. */
  ready(): Promise<void>;
  /** Resolves when it is on disk. */
  record(entry: AuditEntry): Promise<unknown>;
  /** It was decided against this call, and the audit is about to be told: whoever waits for the call hears of it after that. */
  deciding(callId: string): void;
  /** Takes up what was recorded by events only: decisions of nobody. Never throws. */
  recordLater(entry: AuditEntry): void;
  /** Throws `invalid_argument`. */
  edit(workspace: WorkspaceId, call: CallRow, input: unknown): Edited;
  /** The whole arguments, redacted; undefined when they are kept no more. Never throws. */
  show(workspace: WorkspaceId, call: CallRow): JsonObject | undefined;
  /** The call that was approved is carried out, once, whoever asks and how often. Never throws. */
  carryOut(workspace: WorkspaceId, callId: string): void;
}

/** Arguments that an approver put in the place of those of the call. */
export type Edited = {
  readonly input: JsonObject;
  /** For people to read. */
  readonly redacted: JsonObject;
  readonly callHash: string;
  readonly inputHash: string;
  /** On which terms people are asked about these; undefined when nobody would be. Throws `invalid_argument` when policy blocks them or a grant is missing. */
  check(transaction: Transaction): Reasked | undefined;
};

export type Reasked = { readonly terms: AskTerms; readonly rule: RuleRef | undefined };

export class DeskSlot {
  #desk: Desk | undefined;

  get isTaken(): boolean {
    return this.#desk !== undefined;
  }

  take(desk: Desk): Disposable {
    if (this.#desk !== undefined) throw new Fault('conflict', 'Cannot open a gate: one is open');
    this.#desk = desk;
    return {
      [Symbol.dispose]: () => {
        this.#desk = undefined;
      },
    };
  }

  find(): Desk | undefined {
    return this.#desk;
  }

  get(action: string): Desk {
    if (this.#desk !== undefined) return this.#desk;
    throw new Fault('unavailable', `Cannot ${action}: no gate is open`, { details: { is_sent: false } });
  }
}

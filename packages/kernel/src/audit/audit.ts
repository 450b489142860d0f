/**
 * The audit: every syscall, decision and operator action, in files that show when they were tampered with. An entry is a frame of deterministic
 * CBOR; each carries the hash of the one before, all of them are leaves of one Merkle tree (RFC 6962), and each group that is flushed ends with the tree's
 * head, signed with Ed25519. Whoever has the public key can verify the files alone; whoever kept a head elsewhere (an anchor) can prove that nothing before
 * it was cut off or rewritten.
 *
 * What `append` acknowledged is on disk. If the files cannot be written nothing is acknowledged, and so nothing that has to be recorded happens.
 */
import type { JsonObject } from '../internal/json.ts';
import type { RuleRef, Tier } from '../policy/policy.ts';

export type AuditActor =
  | { readonly kind: 'process'; readonly pid: number; readonly agent: string }
  | { readonly kind: 'member' | 'operator'; readonly name: string }
  | { readonly kind: 'system' };

/** `syscall`: a call, with its decision and outcome. `question`, `answer`: of an approval. `operator`: whatever is changed by an operation, by people most of the time. `system`: what Warren did by itself. */
export type AuditKind = 'syscall' | 'question' | 'answer' | 'operator' | 'policy' | 'system';

/** `begun`: an operation; another entry with its `callId` says what came of it. */
export type AuditOutcome = 'begun' | 'success' | 'failure' | 'denied' | 'pending' | 'unknown';

/** What is to be recorded; redacted already. */
export type AuditEntry = {
  readonly kind: AuditKind;
  readonly workspace: string;
  readonly actor: AuditActor;
  /** The capability or operation. */
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly callId?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly input?: JsonObject | undefined;
  /** SHA-256 of the exact arguments: proves what they were to whoever has them. */
  readonly inputHash?: string | undefined;
  readonly decision?: { readonly tier: Tier; readonly rule?: RuleRef | undefined; readonly policy?: string | undefined } | undefined;
  readonly taint?: readonly string[] | undefined;
  /** Type and message. */
  readonly error?: { readonly type: string; readonly message: string } | undefined;
  readonly durationMs?: number | undefined;
  readonly usage?: Readonly<Record<string, number>> | undefined;
  /** Whatever else belongs to the action; at most 64 KiB. */
  readonly details?: JsonObject | undefined;
};

export type RecordedEntry = AuditEntry & {
  /** From 0, without holes, over all workspaces. Its leaf in the tree. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Hexadecimal. */
  readonly hash: string;
};

export type Receipt = { readonly seq: number; readonly at: number; readonly hash: string };

/** A signed tree head. */
export type TreeHead = {
  /** Leaves below it. */
  readonly size: number;
  /** Hexadecimal; of an empty tree SHA-256 of nothing. */
  readonly root: string;
  readonly at: number;
  /** SHA-256 of the public key, hexadecimal, first 16 characters. */
  readonly keyId: string;
  /** Ed25519, base64. */
  readonly signature: string;
};

export type InclusionProof = { readonly seq: number; readonly hash: string; readonly path: readonly string[]; readonly head: TreeHead };
export type ConsistencyProof = { readonly from: TreeHead; readonly to: TreeHead; readonly path: readonly string[] };

export type AuditQuery = {
  readonly workspace?: string | undefined;
  readonly agent?: string | undefined;
  readonly pid?: number | undefined;
  /** Exact, or `category.*`. */
  readonly action?: string | undefined;
  readonly kind?: AuditKind | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly callId?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Entries after (or, with `newest`, before) this one. */
  readonly cursor?: number | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
  /** Newest first. */
  readonly newest?: boolean | undefined;
};

export interface Audit extends AsyncDisposable {
  /** Resolves when the entry and a signed head over it are on disk. Many callers share a flush. Faults: `storage_full`, `store_failed`, `too_large`, `busy`. */
  append(entry: AuditEntry): Promise<Receipt>;
  /** Throws `store_failed` when it can be seen without writing that nothing could be appended: its file or directory is gone. Waits for no disk. */
  check(): void;
  search(query: AuditQuery): Promise<{ readonly entries: readonly RecordedEntry[]; readonly next: number | undefined }>;
  /** Faults: `not_found`. */
  get(seq: number): Promise<RecordedEntry>;
  /** Entries after the query's cursor (without one, from the first) and then as they come, each once, until `signal` fires or the audit closes. `newest` means nothing here. */
  follow(query: AuditQuery, signal: AbortSignal): AsyncIterable<RecordedEntry>;
  head(): TreeHead;
  /** Also of an entry that was purged: its hash was kept. Of an earlier size the head is signed now. Faults: `not_found`, `store_failed`. */
  proveInclusion(seq: number, size?: number): Promise<InclusionProof>;
  /** Faults: `not_found`. */
  proveConsistency(fromSize: number, toSize?: number): Promise<ConsistencyProof>;
  /** SPKI in PEM. */
  readonly publicKey: string;
  /** Deletes entries of days that ended before this time; hashes are kept, so that proofs stay valid. Returns how many entries. */
  purge(before: number): Promise<number>;
  close(): Promise<void>;
}

/** What verifying found. `problems` is empty when all is well. */
export type AuditReport = {
  readonly entries: number;
  /** Of which only the hash is left. */
  readonly purged: number;
  readonly files: number;
  readonly head: TreeHead | undefined;
  readonly problems: readonly AuditProblem[];
};

export type AuditProblem = {
  readonly kind: 'modified' | 'missing' | 'reordered' | 'truncated' | 'forged_head' | 'rolled_back' | 'unreadable' | 'unsigned_tail';
  readonly file: string;
  readonly seq: number | undefined;
  readonly offset: number | undefined;
  readonly detail: string;
};

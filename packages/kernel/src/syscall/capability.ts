/**
 * What the gate knows of a capability. It knows none by name: whoever makes a gate hands it a table of them. An implementation is only ever reached
 * through the gate (`act` is called in one place).
 */

import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { CallFacts, Tier } from '../policy/policy.ts';
import type { Redact } from './redact.ts';

/** What repeating a call does: nothing new, the same again, or a second time. A step of which nobody knows whether it happened is repeated unless it is `once`. */
export type Effect = 'read' | 'idempotent' | 'once';

export interface CapabilityTable {
  /** Changes when any of them does. */
  readonly revision: number;
  find(name: string): Capability | undefined;
  list(): readonly Capability[];
}

export type Capability = {
  readonly name: string;
  readonly version: string;
  readonly effect: Effect;
  readonly defaultTier: Tier;
  readonly tags: readonly string[];
  /** How long it may take when the caller does not say, and at most. */
  readonly deadlineMs: { readonly default: number; readonly max: number };
  /** Calls of one process at the same time; more wait for their turn until their deadline. */
  readonly concurrencyMax: number;
  /** Labels that its results carry, as `web`. */
  readonly taints: readonly string[];
  /** Turns hostile arguments into valid ones, with defaults, or says what is wrong with which. Pure; what it made it takes again unchanged. */
  parse(input: JsonObject): ParsedInput;
  /** What the call is about. Pure; `input` is what `parse` made. */
  facts(input: JsonObject): CallFacts;
  /** The arguments as they may be recorded. Pure. */
  redact(input: JsonObject): JsonObject;
  /** The same without anything shortened: for those who decide about a call. Pure. */
  redactWhole(input: JsonObject): JsonObject;
  /** Carries it out. When `signal` fires it ends soon and leaves nothing running. What it throws besides faults is a defect. */
  act(context: ActContext): Promise<Acted>;
};

export type ParsedInput =
  | { readonly kind: 'valid'; readonly input: JsonObject }
  | { readonly kind: 'invalid'; readonly problems: readonly { readonly field: string; readonly reason: string }[] };

/** On whose behalf. */
export type Actor = {
  readonly workspace: WorkspaceId;
  readonly pid: number;
  /** Empty when the process runs for no agent. */
  readonly agent: string;
};

export type ActContext = {
  readonly actor: Actor;
  readonly callId: string;
  readonly input: JsonObject;
  readonly facts: CallFacts;
  /** Labels that it carries, with those its result will. */
  readonly taint: readonly string[];
  /** Fires when the caller gives up, the deadline passes, the process ends or loses a grant that the call needs. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly deadlineAt: number;
  /** Tells whoever waits how far it is; may be dropped. `share` is between 0 and 1. */
  readonly progress: (message: string, share?: number) => void;
  /** What leaves goes through it anyway; for what is cut before, since half a secret is not found. */
  readonly redact: Redact;
};

export type Acted =
  | {
      readonly kind: 'done';
      readonly output: JsonObject;
      readonly usage?: Usage | undefined;
      readonly taint?: readonly string[] | undefined;
    }
  | { readonly kind: 'failed'; readonly error: CallError; readonly usage?: Usage | undefined };

/** What was measured, by dimension of the ledger: `cpu_s`, `wall_s`, `fs_w_bytes`, `net_bytes`, … Integers. */
export type Usage = Readonly<Record<string, number>>;

/** What an agent is told when a call does not succeed: an outcome, not a fault. Never holds a path of the host or a secret. */
export type CallError = {
  /** PascalCase: one the definition names, or one of `GATE_ERRORS`. */
  readonly type: string;
  /** For people and logs. */
  readonly message: string;
  /** For the model: what happened and what to do. */
  readonly agentMessage: string;
  readonly recovery: readonly RecoveryStep[];
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly context?: JsonObject | undefined;
};

export type RecoveryStep = {
  readonly action: string;
  readonly description: string;
  /** Names a capability that exists. */
  readonly capability?: string | undefined;
  readonly input?: JsonObject | undefined;
};

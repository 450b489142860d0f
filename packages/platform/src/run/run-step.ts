/**
 * The journal of a run: what was done, in order, each step on disk before the next begins. Everything that the loop knows is folded from it (`run-state.ts`), so a loop that dies is another loop that reads.
 */
import type { JsonValue } from '@warren/protocol';
import type { ImageContent, ModelFinish, TextContent } from '../model/model.ts';

export type SaidContent = readonly (TextContent | ImageContent)[];

/** How a call ended. `unknown`: it was begun, and nobody can say what came of it. */
export type CallOutcome = 'done' | 'failed' | 'unknown';

export type StepBody =
  /** The first one. */
  | { readonly kind: 'task'; readonly content: SaidContent }
  | ({
      readonly kind: 'model';
      /** The step after the last that it was told: what stands between that and this came while it thought. */
      readonly heard: number;
    } & Omit<ModelFinish, 'type'>)
  | {
      readonly kind: 'call';
      /** The model's step that asked for it, and its id there. */
      readonly of: number;
      readonly id: string;
      readonly outcome: CallOutcome;
      /** As the model is told. */
      readonly content: SaidContent;
      /** The gate's. */
      readonly callId?: string | undefined;
    }
  /** Said to the model by somebody else than the task: a person who steers, another agent, the loop itself. */
  | { readonly kind: 'message'; readonly from: string; readonly content: SaidContent }
  /** Stands for every step before `first`; those stay where they are. */
  | {
      readonly kind: 'summary';
      readonly text: string;
      readonly first: number;
      readonly tokens: number;
      readonly costMicros: number;
    }
  /** The model could not answer, and is asked again later. */
  | { readonly kind: 'trouble'; readonly reason: string; readonly message: string }
  /** For people; the loop passes it by. */
  | { readonly kind: 'note' }
  | { readonly kind: 'end'; readonly outcome: RunOutcome; readonly result: RunResult };

export type RunStep = StepBody & {
  /** From 0, without holes. */
  readonly seq: number;
  /** Kernel time, milliseconds. */
  readonly at: number;
};

export const RUN_OUTCOMES = [
  'completed',
  'stopped',
  'max_turns',
  'timeout',
  'budget',
  'model_error',
  'blocked',
  'looping',
  'failed',
] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

export type RunResult = {
  /** The last that the model said. */
  readonly text: string;
  /** Where an answer of a schema was asked for, and given. */
  readonly answer?: JsonValue | undefined;
  /** Why it ended, where it was not completed. */
  readonly reason?: string | undefined;
};

/** What a run may take. Each has a default, and reaching one ends it with an outcome that says so. */
export type RunLimits = {
  readonly turnsMax: number;
  readonly tokensMax: number;
  readonly costMicrosMax: number;
  /** From the task on, waiting included. */
  readonly wallMs: number;
};

export const DEFAULT_LIMITS: RunLimits = {
  turnsMax: 200,
  tokensMax: Number.POSITIVE_INFINITY,
  costMicrosMax: Number.POSITIVE_INFINITY,
  wallMs: 86_400_000,
};

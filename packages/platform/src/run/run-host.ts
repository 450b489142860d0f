/**
 * What a loop needs of the world, and all it may do to it: one run, whose lease it holds. In the daemon this is kernel, gate and models; in a runner process the same over a connection; in tests a few maps.
 *
 * Whoever lost the lease gets `lease_lost` from everything that writes, and nothing was written.
 */
import type { JsonObject } from '@warren/protocol';
import type { Model, ModelPart, ModelTool, ReasoningEffort } from '../model/model.ts';
import type { CallOutcome, RunLimits, RunOutcome, RunResult, RunStep, SaidContent, StepBody } from './run-step.ts';

export type RunTerms = {
  /** What the model is told of itself. */
  readonly system: string;
  readonly limits: RunLimits;
  /** The last word is JSON of this schema. */
  readonly answer?: { readonly name: string; readonly schema: JsonObject } | undefined;
  readonly reasoning?: ReasoningEffort | undefined;
};

/** Any of these wakes a run. */
export type WaitFor = {
  /** Calls of the gate that people have not decided about. */
  readonly calls?: readonly string[] | undefined;
  /** Other runs, until they end. */
  readonly runs?: readonly number[] | undefined;
  /** Kernel time. */
  readonly until?: number | undefined;
};

export type CallAnswer =
  | { readonly kind: 'answered'; readonly outcome: CallOutcome; readonly content: SaidContent; readonly callId?: string | undefined }
  | { readonly kind: 'waits'; readonly for: WaitFor };

export type ToolCall = {
  /** The same key is the same call: it is carried out once, and the first answer is given again. */
  readonly key: string;
  readonly tool: string;
  readonly input: JsonObject;
};

export interface RunHost {
  readonly run: number;
  readonly terms: RunTerms;
  /** Kernel time. */
  now(): number;
  /** From this one on, all of them. */
  steps(from: number): Promise<readonly RunStep[]>;
  /** On disk when it returns; then every step from `from` on, those that others added meanwhile included. */
  append(from: number, steps: readonly StepBody[]): Promise<readonly RunStep[]>;
  /** What the model may ask for now. */
  tools(): Promise<readonly ModelTool[]>;
  /**
   * Of the run, or those that stand in for it. What it uses is charged while it streams. Faults of a stream: those of `model-failure.ts`, `quota_exceeded` (the budget), `permission_denied` (the process
   * may not use that model).
   */
  readonly model: Model;
  /** Through the gate, whatever it is. */
  call(call: ToolCall, signal: AbortSignal): Promise<CallAnswer>;
  /** To whoever looks on; kept nowhere. */
  say(part: ModelPart): void;
  /** Lets go of the run until something of that happens. False: somebody added a step from `from` on, or it has happened; go on. */
  park(from: number, wait: WaitFor): Promise<boolean>;
  /** False: somebody added a step from `from` on, and it has to be looked at first. A run that is `stopped` ends all the same. */
  end(from: number, outcome: RunOutcome, result: RunResult): Promise<boolean>;
}

/** One answer that was written before it was asked for, or how asking goes wrong. */
import type { JsonObject } from '@warren/protocol';
import type { FinishReason, ModelRequest, ModelUsage } from '../model.ts';
import type { ModelFailureReason } from '../model-failure.ts';

export type ScriptedCall =
  | { readonly name: string; readonly input: JsonObject }
  /** What the model writes in place of a JSON object. */
  | { readonly name: string; readonly malformed: string };

export type ScriptedTurn = {
  readonly reasoning?: string | undefined;
  readonly text?: string | undefined;
  /** All at once. */
  readonly calls?: readonly ScriptedCall[] | undefined;
  /** Default: as it ends with these calls, or without any. */
  readonly finish?: FinishReason | undefined;
  /** What is missing is zero. Default: estimated. */
  readonly usage?: Partial<Omit<ModelUsage, 'isEstimated'>> | undefined;
  /** Default: nothing. */
  readonly costMicros?: number | undefined;
  /** Before the answer begins, and before each of its parts: a slow one. */
  readonly pauseMs?: number | undefined;
  /** It goes wrong after what is said above: with nothing above it is never begun, with something it is broken off. */
  readonly fault?: ModelFailureReason | undefined;
  readonly retryAfterMs?: number | undefined;
};

/**
 * Turns are played by where the conversation is: who has said n things is given the turn after n answers. So a run that is taken up again, or many runs at once, get what comes next for them. Turns that go
 * wrong stand before the one that they keep back, and are played once each time it is waited for.
 */
export type Script = readonly ScriptedTurn[] | ((request: ModelRequest) => ScriptedTurn | Promise<ScriptedTurn>);

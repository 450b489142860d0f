/** What a run does next, from what it knows: the whole of the loop's judgement, without any effect. */
import type { ModelFinish } from '../model/model.ts';
import type { OpenCall, RunState } from './run-state.ts';
import type { RunLimits, RunOutcome } from './run-step.ts';

export type RunAction =
  | { readonly kind: 'think' }
  | { readonly kind: 'call'; readonly calls: readonly OpenCall[] }
  /** Sum up what stands before the step `first`. */
  | { readonly kind: 'compact'; readonly first: number }
  /** Tell the model something, in the name of the loop. */
  | { readonly kind: 'tell'; readonly text: string }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'answer'; readonly finish: Omit<ModelFinish, 'type'> }
  | { readonly kind: 'end'; readonly outcome: RunOutcome; readonly reason: string };

export type RunCircumstances = {
  readonly limits: RunLimits;
  readonly now: number;
  /** Of all that the model would be told now, about. */
  readonly tokensToTell: number;
  /** What it can be told and say, together. */
  readonly contextTokens: number;
};

/** A turn that is repeated so often is pointed out to the model; then it has as many more. */
const REPEATS_WARNED = 3;
const REPEATS_MAX = 6;
const FAILURES_MAX = 8;
const PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 300_000;
/** Of the context: from there on it is summed up. */
const FULL_SHARE = 0.8;
/** Told as they were said, when the rest is summed up. */
const MESSAGES_KEPT = 12;

export function nextAction(state: RunState, { limits, now, tokensToTell, contextTokens }: RunCircumstances): RunAction {
  const { last } = state;
  if (state.openCalls.length > 0) return isLate() ?? { kind: 'call', calls: state.openCalls };
  // What was said before a limit was reached is an answer all the same.
  if (state.isAnswered && last !== undefined)
    return last.reason === 'refused'
      ? { kind: 'end', outcome: 'blocked', reason: `${last.model} will not answer this` }
      : { kind: 'answer', finish: last };
  const stop = isLate() ?? isSpent() ?? isLooping() ?? isFailing();
  if (stop !== undefined) return stop;
  if (state.repeats >= REPEATS_WARNED && !state.isWarned)
    return {
      kind: 'tell',
      text: `The last ${state.repeats} turns asked for the same and got the same result. Do something else, or say what keeps you from it.`,
    };
  if (tokensToTell > FULL_SHARE * contextTokens) {
    const first = state.cutFor(MESSAGES_KEPT) ?? state.cutFor(2);
    if (first !== undefined) return { kind: 'compact', first };
  }
  return { kind: 'think' };

  function isLate(): RunAction | undefined {
    if (now < state.startedAt + limits.wallMs) return undefined;
    return { kind: 'end', outcome: 'timeout', reason: `it has taken ${limits.wallMs} ms, the limit` };
  }

  function isSpent(): RunAction | undefined {
    if (state.turns >= limits.turnsMax)
      return { kind: 'end', outcome: 'max_turns', reason: `it has taken ${state.turns} turns, the limit` };
    if (state.tokens >= limits.tokensMax)
      return { kind: 'end', outcome: 'budget', reason: `it has used ${state.tokens} tokens, the limit is ${limits.tokensMax}` };
    if (state.costMicros >= limits.costMicrosMax)
      return {
        kind: 'end',
        outcome: 'budget',
        reason: `it has cost ${state.costMicros} millionths of a dollar, the limit is ${limits.costMicrosMax}`,
      };
    return undefined;
  }

  function isLooping(): RunAction | undefined {
    if (state.repeats < REPEATS_MAX) return undefined;
    return { kind: 'end', outcome: 'looping', reason: `${state.repeats} turns asked for the same and got the same result` };
  }

  function isFailing(): RunAction | undefined {
    const { failures, troubleAt } = state;
    if (failures === 0) return undefined;
    if (failures >= FAILURES_MAX)
      return { kind: 'end', outcome: 'model_error', reason: `the model failed ${failures} times in a row: ${state.trouble}` };
    const until = troubleAt + Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (failures - 1));
    return now < until ? { kind: 'pause', forMs: until - now } : undefined;
  }
}

/**
 * Asks again what may succeed later: after as long as the provider says, else longer each time. Not once something was said: nobody can unsay it, and only who has the conversation knows whether it may be
 * begun anew. Then the failure says so, and whoever asked may ask again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../internal/retry-after.ts';
import type { Model, ModelPart } from './model.ts';
import { failureReasonOf, MODEL_FAILURES, retryAfterOf } from './model-failure.ts';

export type RetryOptions = {
  readonly attemptsMax?: number | undefined;
  /** What asks for a longer wait fails at once. */
  readonly waitMsMax?: number | undefined;
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  readonly random?: (() => number) | undefined;
};

const ATTEMPTS_MAX = 4;
const WAIT_MS_MAX = 60_000;
/** All who were refused at once were told the same: not all come back in the same moment. */
const SPREAD = 0.1;

export function withRetries(model: Model, options: RetryOptions = {}): Model {
  const { attemptsMax = ATTEMPTS_MAX, waitMsMax = WAIT_MS_MAX, pause = defaultPause, random = Math.random } = options;
  return {
    ...{ name: model.name, contextTokens: model.contextTokens },
    async *stream(request, signal) {
      for (let attempt = 0; ; attempt++) {
        let hasBegun = false;
        try {
          for await (const part of model.stream(request, signal)) {
            hasBegun ||= isSaid(part);
            yield part;
          }
          return;
        } catch (error) {
          signal.throwIfAborted();
          const reason = failureReasonOf(error);
          const asked = retryAfterOf(error);
          const waitMs = asked === undefined ? backoffMs(attempt, random()) : Math.ceil(asked * (1 + SPREAD * random()));
          const isHopeless = reason === undefined || !MODEL_FAILURES[reason].again || waitMs > waitMsMax;
          if (hasBegun || isHopeless || attempt + 1 >= attemptsMax) throw error;
          yield { type: 'retry', model: model.name, reason, waitMs };
          await pause(waitMs, signal);
          signal.throwIfAborted();
        }
      }
    },
  };
}

/** Whether something of the answer was told. */
export function isSaid({ type }: ModelPart): boolean {
  return type !== 'start' && type !== 'retry';
}

async function defaultPause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted()); // With what it was fired with, not with an error of the timer.
}

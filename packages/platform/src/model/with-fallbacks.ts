/** The first model answers; where it fails in a way in which another may not, and has said nothing yet, the next one is asked. One that failed rests for a while, so that not every turn waits for it. */
import { Fault, isFault } from '@warren/protocol';
import type { Model } from './model.ts';
import { failureReasonOf, MODEL_FAILURES, type ModelFailureReason, retryAfterOf } from './model-failure.ts';
import { RestRing } from './rest-ring.ts';
import { isSaid } from './with-retries.ts';

type Attempt = { readonly model: string; readonly reason: ModelFailureReason; readonly error: unknown };

export function withFallbacks(models: readonly [Model, ...(readonly Model[])], now: () => number): Model {
  const [first] = models;
  /** By place: two may have one name. */
  const byKey = new Map(models.map((model, index) => [String(index), model]));
  const ring = new RestRing(now);
  return {
    ...{ name: first.name, contextTokens: first.contextTokens },
    async *stream(request, signal) {
      const attempts: Attempt[] = [];
      const order = ring.order([...byKey.keys()]);
      for (const key of order) {
        const model = byKey.get(key) ?? first; // Its order has those, and no others.
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
          if (reason === undefined || !MODEL_FAILURES[reason].otherModel) throw error;
          ring.rest(key, reason, retryAfterOf(error));
          attempts.push({ model: model.name, reason, error });
          if (hasBegun || attempts.length === order.length) throw summaryOf(attempts, error);
          yield { type: 'retry', model: model.name, reason, waitMs: 0 };
        }
      }
    },
  };
}

/** The last failure, with what went wrong before it. */
function summaryOf(attempts: readonly Attempt[], last: unknown): unknown {
  if (attempts.length < 2 || !isFault(last)) return last;
  const message = attempts.map(({ error }) => (error instanceof Error ? error.message : String(error))).join('; ');
  return new Fault(last.code, message, {
    details: { ...last.details, attempts: attempts.map(({ model, reason }) => ({ model, reason })) } as typeof last.details, // And what it had.
    cause: last,
  });
}

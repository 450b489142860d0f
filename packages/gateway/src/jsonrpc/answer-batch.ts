import { errorOfFault, Fault, JSON_RPC_ERRORS, type JsonRpcId } from '@warren/protocol';
import { failure } from './answer-text.ts';
import type { Calls, Traced } from './calls.ts';
import type { DispatchLimits } from './dispatch-limits.ts';
import { readEnvelope } from './read-envelope.ts';

/** All at the same time, answered in their order. Undefined when there were only notifications. */
export async function answerBatch<Caller extends Traced>(
  calls: Calls<Caller>,
  requests: readonly unknown[],
  caller: Caller,
  { batchMax, batchAnswerMax }: DispatchLimits,
): Promise<string | undefined> {
  if (requests.length === 0) {
    return failure(null, { code: JSON_RPC_ERRORS.invalid_request, message: 'Cannot understand the request: the batch is empty' });
  }
  if (requests.length > batchMax) {
    const message = `Cannot carry out the batch: it has ${requests.length} requests, the limit is ${batchMax}`;
    return failure(null, errorOfFault(new Fault('too_large', message, { details: { limit: batchMax } })));
  }
  let characters = 0;
  const answers = await Promise.all(
    requests.map(async (request) => {
      const answer = await calls.answer(request, caller);
      if (answer === undefined) return undefined;
      characters += answer.length;
      if (characters <= batchAnswerMax) return answer;
      characters -= answer.length;
      const message = `Cannot answer all of the batch: the answers have more than ${batchAnswerMax} characters; this call was carried out`;
      return failure(idOf(request), errorOfFault(new Fault('too_large', message, { details: { limit: batchAnswerMax } })));
    }),
  );
  const given = answers.filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : `[${given.join(',')}]`;
}

function idOf(request: unknown): JsonRpcId {
  return readEnvelope(request).id ?? null;
}

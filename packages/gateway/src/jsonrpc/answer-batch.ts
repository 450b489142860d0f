import { errorOfFault, Fault, type JsonRpcId } from '@warren/protocol';
import { failure } from './answer-text.ts';
import type { Calls, Traced } from './calls.ts';
import type { DispatchLimits } from './dispatch-limits.ts';
import { protocolError } from './protocol-error.ts';
import { readEnvelope } from './read-envelope.ts';

/** Calls of one batch at the same time: each may hold the largest answer there is before it is counted. */
const AT_ONCE_MAX = 16;

/** Asked about the requests of a batch beside the first. Resolves when they may be carried out, or with why they may not. Never rejects. */
export type AdmitBatch = (more: number) => Promise<Fault | undefined>;

export type BatchParts<Caller> = {
  readonly caller: Caller;
  readonly limits: DispatchLimits;
  readonly admit: AdmitBatch | undefined;
};

/** Several at the same time, begun and answered in their order. Undefined when there were only notifications. */
export async function answerBatch<Caller extends Traced>(
  calls: Calls<Caller>,
  requests: readonly unknown[],
  { caller, limits: { batchMax, batchAnswerMax }, admit }: BatchParts<Caller>,
): Promise<string | undefined> {
  if (requests.length === 0) {
    return failure(null, protocolError('invalid_request', 'Cannot understand the request: the batch is empty'));
  }
  if (requests.length > batchMax) {
    const message = `Cannot carry out the batch: it has ${requests.length} requests, the limit is ${batchMax}`;
    return failure(null, errorOfFault(new Fault('too_large', message, { details: { limit: batchMax } })));
  }
  const refused = admit === undefined || requests.length === 1 ? undefined : await admit(requests.length - 1);
  if (refused !== undefined) return failure(null, errorOfFault(refused));
  let characters = 0;
  const answerOne = async (request: unknown): Promise<string | undefined> => {
    if (characters > batchAnswerMax) return tooLarge(request, 'this call was not carried out', batchAnswerMax);
    const answer = await calls.answer(request, caller);
    if (answer === undefined) return undefined;
    characters += answer.length;
    if (characters <= batchAnswerMax) return answer;
    return tooLarge(request, 'this call was carried out', batchAnswerMax);
  };
  const answers = await inTurn(requests, AT_ONCE_MAX, answerOne);
  const given = answers.filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : `[${given.join(',')}]`;
}

/** What has been answered fills the answer. The call that filled it is told so too. */
function tooLarge(request: unknown, what: string, limit: number): string {
  const message = `Cannot answer all of the batch: the answers have more than ${limit} characters; ${what}`;
  return failure(idOf(request), errorOfFault(new Fault('too_large', message, { details: { limit } })));
}

async function inTurn<In, Out>(items: readonly In[], atOnce: number, work: (item: In) => Promise<Out>): Promise<readonly Out[]> {
  const results: Out[] = new Array(items.length);
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}

function idOf(request: unknown): JsonRpcId {
  return readEnvelope(request).id ?? null;
}

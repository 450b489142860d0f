/**
 * JSON-RPC 2.0, whatever carries it: bytes in, the text of the answer out. It knows no operation; `find` gives it what to call.
 *
 * Requests of a batch run at the same time and are answered in their order. A notification (no `id`) is carried out and never answered; `id`
 * null is an id like any other. Whatever comes in, an answer comes out: nothing here throws.
 */
import type { JsonObject } from '@warren/protocol';
import { type AdmitBatch, answerBatch } from './answer-batch.ts';
import { failure } from './answer-text.ts';
import { type CallOutcome, type CallParts, Calls, type Traced } from './calls.ts';
import { DISPATCH_LIMITS, type DispatchLimits } from './dispatch-limits.ts';
import { readJson } from './read-json.ts';

export type DispatcherParts<Caller extends Traced> = CallParts<Caller> & { readonly limits?: Partial<DispatchLimits> | undefined };

export interface Dispatcher<Caller> {
  /**
   * Undefined when there is nothing to answer: only notifications came. `admit` is asked before a batch is carried out; what it says instead is the answer. Never
   * rejects.
   */
  dispatch(body: Uint8Array, caller: Caller, admit?: AdmitBatch): Promise<string | undefined>;
  /** One call that something else than JSON-RPC carries: the same methods, watched, counted and bounded with the others. Never rejects. */
  carryOut(method: string, params: JsonObject, caller: Caller): Promise<CallOutcome>;
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
}

export function createDispatcher<Caller extends Traced>(parts: DispatcherParts<Caller>): Dispatcher<Caller> {
  const limits = { ...DISPATCH_LIMITS, ...parts.limits };
  const calls = new Calls(parts, limits.callsMax);
  return {
    async dispatch(body, caller, admit) {
      const read = readJson(body, limits);
      if (read.kind === 'refused') return failure(null, read.error);
      if (!Array.isArray(read.value)) return await calls.answer(read.value, caller);
      return await answerBatch(calls, read.value, { caller, limits, admit });
    },
    carryOut: (method, params, caller) => calls.carryOut(method, params, caller),
    idle: () => calls.idle(),
  };
}

/** What was used, as a provider says it. A provider that does not say is not one that is free: then nobody knows, and it is estimated. */
import type { ModelUsage } from '../model.ts';
import { fieldOf } from './failure-of-answer.ts';
import type { LibraryPart } from './library.ts';
import type { ProviderRow } from './providers.ts';

type LibraryUsage = Extract<LibraryPart, { type: 'finish' }>['usage'];

export type ReadUsage = { readonly usage: ModelUsage | undefined; readonly costMicros: number | undefined };

/** `raw` is what stood in the stream, for those that put it where the library does not look. */
export function readUsage({ inputTokens, outputTokens }: LibraryUsage, raw: unknown, row: ProviderRow): ReadUsage {
  const cost = row.saysCost === true ? fieldOf(raw, 'cost') : undefined;
  const costMicros = typeof cost === 'number' && cost >= 0 && cost < 1e6 ? Math.ceil(cost * 1e6) : undefined;
  const cacheReadTokens = countOf(inputTokens.cacheRead);
  const cacheWriteTokens = countOf(inputTokens.cacheWrite);
  const input = countOf(inputTokens.total) || countOf(fieldOf(raw, 'prompt_tokens'));
  const reasoningTokens = countOf(outputTokens.reasoning);
  const output = countOf(outputTokens.total) || countOf(fieldOf(raw, 'completion_tokens'));
  if (input === 0 || (output === 0 && reasoningTokens === 0)) return { usage: undefined, costMicros };
  const usage = {
    inputTokens: Math.max(0, input - cacheReadTokens - cacheWriteTokens),
    ...{ cacheReadTokens, cacheWriteTokens, reasoningTokens },
    outputTokens: row.isReasoningApart === true ? output + reasoningTokens : Math.max(output, reasoningTokens),
    isEstimated: false,
  };
  return { usage, costMicros };
}

/** What is no count is none. */
function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e12 ? Math.round(value) : 0;
}

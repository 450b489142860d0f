/** What an answer costs, in millionths of a US dollar, rounded up. */
import type { ModelCost, ModelUsage } from '../model.ts';
import type { ProviderName } from '../provider/providers.ts';
import { factsOf } from './facts-of.ts';
import { FREE } from './price-table.ts';

export function costOf(provider: ProviderName, model: string, usage: ModelUsage): ModelCost {
  if (FREE.has(provider)) return { micros: 0, isEstimated: false };
  const { price, isKnown } = factsOf(provider, model);
  const [, , input, output, cacheRead = input, cacheWrite = input] = price;
  const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, isEstimated } = usage;
  // Dollars for a million tokens are millionths of a dollar for one.
  const micros = inputTokens * input + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite + outputTokens * output;
  return { micros: Math.ceil(micros - 1e-6), isEstimated: isEstimated || !isKnown };
}

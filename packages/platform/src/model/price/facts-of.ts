/** What is known of a model. */
import type { ProviderName } from '../provider/providers.ts';
import { PRICES, type PriceRow, UNKNOWN } from './price-table.ts';

export type ModelFacts = {
  readonly isKnown: boolean;
  readonly contextTokens: number;
  readonly outputTokensMax: number;
  readonly price: PriceRow;
};

/** More is asked for by whoever wants more: what may come has to be paid for. */
const OUTPUT_TOKENS_MAX = 32_000;

/** The longest name that this one begins with, and that does not end within a word. */
export function factsOf(provider: ProviderName, model: string): ModelFacts {
  const rows = PRICES[provider === 'openai-chat' ? 'openai' : provider];
  const names = Object.keys(rows).filter(
    (name) =>
      model === name ||
      /^(?:-|:|@)(?:\d{4,}|\d{1,4}-\d{2}|latest|v\d|preview|0$)/.test(model.startsWith(name) ? model.slice(name.length) : ''),
  );
  const [name = ''] = names.toSorted((one, other) => other.length - one.length);
  const row = rows[name];
  const [contextTokens, most] = row ?? UNKNOWN;
  return { isKnown: row !== undefined, contextTokens, outputTokensMax: Math.min(most, OUTPUT_TOKENS_MAX), price: row ?? UNKNOWN };
}

/** Models by name: `provider/model`, or several of them, of which the first answers unless it fails. What makes them dependable is put around them here. */
import { Fault } from '@warren/protocol';
import { withContextGuard } from './context-window.ts';
import type { Model, ModelProvider } from './model.ts';
import { PRICES, type PriceRow } from './price/price-table.ts';
import type { ModelFetch, ModelLimits } from './provider/bounded-fetch.ts';
import { createProvider } from './provider/create-provider.ts';
import { PROVIDERS, type ProviderName } from './provider/providers.ts';
import { withFallbacks } from './with-fallbacks.ts';
import { type RetryOptions, withRetries } from './with-retries.ts';

export type ModelsParts = {
  /** Those of the table come on top, under their own names. */
  readonly providers?: Readonly<Record<string, ModelProvider>> | undefined;
  /** Of a provider of the table, had for each request. */
  readonly keysOf: (provider: ProviderName, signal: AbortSignal) => Promise<readonly string[]>;
  /** Who answers when nobody is named. */
  readonly defaults?: readonly string[] | undefined;
  readonly fetch?: ModelFetch | undefined;
  readonly limits?: Partial<ModelLimits> | undefined;
  readonly retry?: RetryOptions | undefined;
  readonly now: () => number;
};

export type KnownModel = {
  /** `provider/model`. */
  readonly name: string;
  readonly contextTokens: number;
  readonly outputTokensMax: number;
  /** In US dollars for a million tokens. */
  readonly price: { readonly input: number; readonly output: number; readonly cacheRead: number; readonly cacheWrite: number };
};

export interface Models {
  /** Default: those that are set. Faults: `invalid_argument` (a name, or none), `not_found` (a provider; names of models are for the provider to judge). */
  open(names?: string | readonly string[], options?: { readonly keys?: readonly string[] | undefined }): Model;
  /** Who answers when nobody is named. */
  readonly defaults: readonly string[];
  /** Names of providers, sorted. */
  readonly providers: readonly string[];
  /** Those whose price is known; providers have more. */
  known(): readonly KnownModel[];
}

const NAME = /^([A-Za-z0-9][\w-]{0,62})\/([\w.:@/+-]{1,200})$/;
const NAMES_MAX = 16;
/** Where another one waits, nobody insists. */
const ATTEMPTS_WITH_FALLBACK = 2;

export function openModels(parts: ModelsParts): Models {
  const { providers = {}, defaults = [], keysOf, fetch, limits, now } = parts;
  const made = new Map<string, ModelProvider>(Object.entries(providers));
  const kinds = (Object.keys(PROVIDERS) as ProviderName[]).filter((kind) => PROVIDERS[kind].url !== undefined && !made.has(kind)); // They are its keys.
  for (const kind of kinds) made.set(kind, createProvider({ kind, fetch, limits, now, keysOf: (signal) => keysOf(kind, signal) }));
  const chains = new Map<string, Model>();

  const single = (name: string, retry: RetryOptions, keys: readonly string[] | undefined): Model => {
    const [, provider = '', model = ''] = NAME.exec(name) ?? [];
    if (provider === '')
      throw new Fault('invalid_argument', `Cannot use model ${JSON.stringify(name).slice(0, 300)}: a name is provider/model`, {
        details: { field: 'model' },
      });
    const found = made.get(provider);
    const names = [...made.keys()].toSorted();
    if (found === undefined)
      throw new Fault('not_found', `Cannot use model ${name}: there is no provider ${provider} (there are: ${names.join(', ')})`, {
        details: { provider, providers: names },
      });
    return withRetries(withContextGuard(found.model(model, { keys })), retry);
  };

  const open = (given: string | readonly string[], { keys }: { readonly keys?: readonly string[] | undefined } = {}): Model => {
    const names = typeof given === 'string' ? [given] : given;
    if (names.length === 0)
      throw new Fault('invalid_argument', 'Cannot ask a model: none is named, and none is the default', { details: { field: 'model' } });
    if (names.length > NAMES_MAX)
      throw new Fault('invalid_argument', `Cannot use ${names.length} models: it is 1 to ${NAMES_MAX}`, { details: { field: 'model' } });
    const retry = names.length === 1 ? parts.retry : { attemptsMax: ATTEMPTS_WITH_FALLBACK, ...parts.retry };
    const [first, ...others] = [...new Set(names)].map((name, index) => single(name, retry ?? {}, index === 0 ? keys : undefined));
    if (first === undefined) throw new Error('There is a first one');
    return others.length === 0 ? first : withFallbacks([first, ...others], now);
  };

  return {
    ...{ defaults, known },
    providers: [...made.keys()].toSorted(),
    /** One object for each list, so that it remembers which of them rest. */
    open(given = defaults, options) {
      if (options?.keys !== undefined) return open(given, options);
      const key = typeof given === 'string' ? given : given.join(' ');
      const model = chains.get(key) ?? open(given);
      if (chains.size > CHAINS_MAX) chains.clear();
      chains.set(key, model);
      return model;
    },
  };
}

const CHAINS_MAX = 1_000;

function known(): readonly KnownModel[] {
  return Object.entries(PRICES).flatMap(([provider, rows]) =>
    Object.entries(rows).map(([model, row]) => knownOf(`${provider}/${model}`, row)),
  );
}

function knownOf(
  name: string,
  [contextTokens, outputTokensMax, input, output, cacheRead = input, cacheWrite = input]: PriceRow,
): KnownModel {
  return { name, contextTokens, outputTokensMax, price: { input, output, cacheRead, cacheWrite } };
}

/** Who thinks in a run: a provider that the program gave by this name, or else one that Warren knows, with the keys that the environment of this process has for it; and who is asked after it. */
import { Fault } from '@warren/protocol';
import { environmentKeys } from '../model/environment-keys.ts';
import type { Model, ModelProvider } from '../model/model.ts';
import type { RunOptions, WorkspaceConfig } from './embedded-platform.ts';

/** As in the earlier system, where nobody names one and none is given. */
const PROVIDER_DEFAULT = 'anthropic';

export type ChosenModel = { readonly provider: string; readonly model: string; readonly asked: Model };

/** Faults: `unsupported` (the provider), `invalid_argument` (the model). */
export async function chooseModel(
  given: Readonly<Record<string, ModelProvider>>,
  config: WorkspaceConfig,
  options: RunOptions,
): Promise<ChosenModel> {
  const names = Object.keys(given);
  const only = names.length === 1 ? names[0] : names.length === 0 ? PROVIDER_DEFAULT : undefined;
  const provider = options.provider ?? config.provider ?? only;
  const { openModels } = await import('../model/open-models.ts');
  const models = openModels({ providers: given, keysOf: async (kind) => environmentKeys(process.env, kind), now: () => Date.now() });
  if (provider === undefined || !models.providers.includes(provider)) {
    const why = provider === undefined ? 'none is named' : `there is no provider ${JSON.stringify(provider)}`;
    const message = `Cannot run: ${why}; name one of ${models.providers.join(', ')}, or give it to createPlatform as providers`;
    throw new Fault('unsupported', message, { details: { providers: models.providers } });
  }
  const model = options.model ?? config.model ?? (Object.hasOwn(given, provider) ? given[provider]?.defaultModel : undefined);
  if (model === undefined)
    throw new Fault('invalid_argument', `Cannot run: no model is named, and provider ${provider} has no default`, {
      details: { field: 'model' },
    });
  const apiKey = options.apiKey ?? config.apiKey;
  const keys = options.apiKeys ?? (apiKey === undefined ? undefined : [apiKey]);
  return { provider, model, asked: models.open([`${provider}/${model}`, ...(options.fallbacks ?? [])], { keys }) };
}

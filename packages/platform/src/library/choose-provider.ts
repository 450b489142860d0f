/** Who thinks in a run: a provider that the program gave by this name, or else one that Warren knows, with the key that the environment of this process has for it. */
import { Fault } from '@warren/protocol';
import type { ModelProvider } from '../model/model.ts';
import { PROVIDERS, type ProviderName } from '../model/provider/providers.ts';

/** As in the earlier system, where nobody names one and none is given. */
const NAME_DEFAULT = 'anthropic';

export type ChosenProvider = { readonly name: string; readonly provider: ModelProvider };

/** Faults: `unsupported`. */
export async function chooseProvider(given: Readonly<Record<string, ModelProvider>>, asked: string | undefined): Promise<ChosenProvider> {
  const names = Object.keys(given);
  const only = names.length === 1 ? names[0] : names.length === 0 ? NAME_DEFAULT : undefined;
  const name = asked ?? only;
  if (name !== undefined) {
    const provider = Object.hasOwn(given, name) ? given[name] : await knownProvider(name);
    if (provider !== undefined) return { name, provider };
  }
  const why = name === undefined ? 'none is named' : `there is no provider ${JSON.stringify(name)}`;
  throw new Fault(
    'unsupported',
    `Cannot run: ${why}; name one of ${Object.keys(PROVIDERS).join(', ')}, or give it to createPlatform as providers (there are: ${names.join(', ') || 'none'})`,
    {
      details: { providers: names },
    },
  );
}

async function knownProvider(name: string): Promise<ModelProvider | undefined> {
  if (!Object.hasOwn(PROVIDERS, name)) return undefined;
  const kind = name as ProviderName; // It is one.
  const { url, keyVariables } = PROVIDERS[kind];
  if (url === undefined) return undefined;
  const { createProvider } = await import('../model/provider/create-provider.ts');
  const keysOf = async (): Promise<readonly string[]> => {
    const key = keyVariables.map((variable) => process.env[variable]).find((value) => value !== undefined && value !== '');
    return key === undefined ? [] : [key];
  };
  return createProvider({ kind, keysOf });
}

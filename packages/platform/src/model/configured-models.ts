/**
 * Models as the operator set them: providers of the table find their keys in the vault, in files or in the environment of the daemon; others are added. Keys are had for each request, since they may be
 * rotated, and go to the address of their provider only.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Config } from '../config/config-format.ts';
import { type ConfiguredSecret, requestTo } from '../vault/configured-secret.ts';
import { type Environment, environmentKeys } from './environment-keys.ts';
import type { Model, ModelProvider } from './model.ts';
import { type Models, openModels } from './open-models.ts';
import { createProvider } from './provider/create-provider.ts';
import { PROVIDERS, type ProviderName } from './provider/providers.ts';
import { readScript } from './scripted/read-script.ts';
import { scriptedModel } from './scripted/scripted-model.ts';

/** What a key of a provider is bound to. */
export const MODEL_CAPABILITY = 'model.ask';

export type ConfiguredModelsParts = {
  readonly secretOf: ConfiguredSecret;
  /** Of the daemon. */
  readonly environment: Environment;
  readonly now: () => number;
};

type Configured = Config['models']['providers'][number];

/** Faults: `invalid_argument` (an address). */
export function configuredModels({ models }: Pick<Config, 'models'>, { secretOf, environment, now }: ConfiguredModelsParts): Models {
  const keysOf = async (kind: ProviderName): Promise<readonly string[]> => environmentKeys(environment, kind);
  const providerOf = (given: Configured): ModelProvider => {
    const { name, url, default_model: defaultModel } = given;
    const kind = kindOf(given);
    const address = url ?? PROVIDERS[kind].url ?? '';
    return createProvider({ kind, name, url, defaultModel, now, keysOf: () => keysOfConfigured(given, kind, address) });
  };
  const keysOfConfigured = async ({ secret, key_file: files }: Configured, kind: ProviderName, address: string) => {
    if (secret !== undefined) return await Promise.all(secret.map((each) => secretOf(each, requestTo(address, MODEL_CAPABILITY))));
    if (files !== undefined) return await Promise.all(files.map(async (file) => (await readFile(file, 'utf8')).trim()));
    return await keysOf(kind);
  };
  const providers = Object.fromEntries(models.providers.map((given) => [given.name, providerOf(given)]));
  return openModels({
    ...{ keysOf, now, defaults: models.default },
    providers: { ...(models.scripts !== undefined && { scripted: scriptsIn(models.scripts) }), ...providers },
  });
}

function kindOf({ name, kind }: Configured): ProviderName {
  if (kind !== undefined) return kind;
  if (Object.hasOwn(PROVIDERS, name)) return name as ProviderName; // It is one of its keys.
  throw new Fault('invalid_argument', `Cannot use provider ${name} for models: its kind is not said`, {
    details: { field: 'models.providers' },
  });
}

/** A script for each file: read when it is asked, so that it can be written meanwhile; changed, it is another model. */
function scriptsIn(directory: string): ModelProvider {
  return { model: (name) => scriptIn(directory, name) };
}

function scriptIn(directory: string, id: string): Model {
  const name = `scripted/${id}`;
  const contextTokens = scriptedModel([]).contextTokens;
  let playing: Promise<Model> | undefined;
  const read = async (): Promise<Model> => {
    if (!/^[\w-]{1,64}$/.test(id))
      throw new Fault('invalid_argument', `Cannot play ${JSON.stringify(id)}: the name of a script is 1 to 64 of letters, digits, _ and -`);
    return scriptedModel(await readScript(join(directory, `${id}.yaml`)), { name });
  };
  return {
    ...{ name, contextTokens },
    async *stream(request, signal) {
      playing ??= read().catch((error: unknown) => {
        playing = undefined; // It may be mended.
        throw error;
      });
      yield* (await playing).stream(request, signal);
    },
  };
}

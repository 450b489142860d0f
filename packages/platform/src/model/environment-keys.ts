/** Keys of providers in an environment: `NAME_API_KEYS` (several, by commas), `NAME_API_KEY`, and `NAME_API_KEY_` with anything behind it; each once. */
import { PROVIDERS, type ProviderName } from './provider/providers.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function environmentKeys(environment: Environment, kind: ProviderName): readonly string[] {
  const keys = PROVIDERS[kind].keyVariables.flatMap((variable: string) => [
    ...(environment[`${variable}S`] ?? '').split(','),
    environment[variable] ?? '',
    ...Object.keys(environment)
      .filter((name) => name.startsWith(`${variable}_`))
      .toSorted()
      .map((name) => environment[name] ?? ''),
  ]);
  return [...new Set(keys.map((key) => key.trim()).filter((key) => key !== ''))];
}

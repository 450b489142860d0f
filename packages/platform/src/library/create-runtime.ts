/** One user, one workspace: what `createPlatform` has for many. Commands of its agent run behind walls as everybody's do. */

import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { stateDirectoryPath } from '@warren/sandbox';
import { createPlatform } from './create-platform.ts';
import type { EmbeddedPlatformConfig, EmbeddedWorkspace, WorkspaceConfig } from './embedded-platform.ts';

export type RuntimeConfig = Partial<EmbeddedPlatformConfig> & Omit<WorkspaceConfig, 'credentialPassphrase'>;

export interface EmbeddedRuntime extends AsyncDisposable, Pick<EmbeddedWorkspace, 'run' | 'hooks' | 'memory' | 'sessions'> {
  /** As given, with what was left out; secrets are not in it. */
  readonly config: {
    readonly stateDir: string;
    readonly model: string | undefined;
    readonly provider: string | undefined;
    readonly systemPrompt: string | undefined;
  };
}

/** The state directory is, unless given, the one of the command line tool. */
export async function createRuntime({
  model,
  provider,
  apiKey,
  systemPrompt,
  skills: _,
  ...rest
}: RuntimeConfig = {}): Promise<EmbeddedRuntime> {
  const platform = createPlatform({ ...rest, stateDir: rest.stateDir ?? stateDirectoryPath({ environment: process.env }) });
  try {
    const { run, hooks, memory, sessions } = await platform.getWorkspace(DEFAULT_WORKSPACE);
    const defaults = { ...(model !== undefined && { model }), ...(provider !== undefined && { provider }), ...(apiKey !== undefined && { apiKey }), ...(systemPrompt !== undefined && { systemPrompt }) }; // biome-ignore format: one line
    return {
      ...{ hooks, memory, sessions },
      run: (options) => run({ ...defaults, ...options }),
      config: { stateDir: platform.stateDir, model, provider, systemPrompt },
      [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
    };
  } catch (error) {
    await platform[Symbol.asyncDispose]();
    throw error;
  }
}

/** Who thinks: given what was said, it says what comes next. Providers of models come behind the same interface; the one here plays turns that were written before. */
import { Fault, type JsonObject } from '@warren/protocol';
import type { SessionEntry } from '../session/sessions.ts';

export type ModelRequest = {
  readonly provider: string;
  readonly model: string;
  readonly systemPrompt: string | undefined;
  /** What was said, oldest first; the last is what to answer. */
  readonly messages: readonly SessionEntry[];
  /** Names of capabilities it may ask for. */
  readonly tools: readonly string[];
  readonly apiKey: string | undefined;
};

export type ModelTurn = {
  readonly text?: string | undefined;
  /** Carried out one after the other, each through the gate; without any the run is over. */
  readonly toolCalls?: readonly { readonly name: string; readonly input: JsonObject }[] | undefined;
  readonly usage?: JsonObject | undefined;
};

export interface ModelProvider {
  /** The model when nobody names one. */
  readonly defaultModel?: string | undefined;
  /** Rejects with what went wrong: a run never takes that for an empty answer. */
  turn(request: ModelRequest, signal: AbortSignal): Promise<ModelTurn>;
}

/** Plays these turns, one for each time it is asked, over all runs; or those that the function makes. */
export function scriptedModel(script: readonly ModelTurn[] | ((request: ModelRequest) => ModelTurn | Promise<ModelTurn>)): ModelProvider {
  let played = 0;
  return {
    defaultModel: 'scripted',
    async turn(request) {
      if (typeof script === 'function') return await script(request);
      const turn = script[played++];
      if (turn === undefined) throw new Fault('unavailable', `Cannot think: the script has ${script.length} turns, and all were played`);
      return turn;
    },
  };
}

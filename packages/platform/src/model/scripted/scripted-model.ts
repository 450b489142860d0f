/** A model that plays a script: for tests, and for showing what Warren does without a key. The same script says the same, whenever and however often it is played. */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRequest } from '../check-request.ts';
import { tokensOfAnswer, tokensOfReasoning, tokensOfRequest } from '../estimate-tokens.ts';
import type { AssistantContent, AssistantMessage, Model, ModelPart, ModelProvider, ModelRequest, ModelUsage } from '../model.ts';
import { modelFault } from '../model-failure.ts';
import { piecesOf } from './pieces-of.ts';
import type { Script, ScriptedCall, ScriptedTurn } from './scripted-turn.ts';

export type ScriptedModelOptions = {
  /** Default: `scripted/script`. */
  readonly name?: string | undefined;
  readonly contextTokens?: number | undefined;
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
};

const CONTEXT_TOKENS = 200_000;
const MALFORMED = 'the input is no JSON object';

export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): Model {
  const { name = 'scripted/script', contextTokens = CONTEXT_TOKENS, pause = defaultPause } = options;
  const player = new Player(name, script);
  return {
    name,
    contextTokens,
    async *stream(request, signal) {
      signal.throwIfAborted();
      checkRequest(name, request);
      const { turn, place } = await player.next(request);
      yield { type: 'start', model: name };
      const content = contentOf(turn, place);
      for (const part of partsOf(turn, content)) {
        if (turn.pauseMs !== undefined) await pause(turn.pauseMs, signal);
        signal.throwIfAborted();
        yield part;
      }
      if (turn.fault !== undefined) throw faultOf(name, turn);
      const message: AssistantMessage = { role: 'assistant', content };
      const reason = turn.finish ?? (content.some(isCall) ? 'tool_calls' : 'stop');
      const cost = { micros: turn.costMicros ?? 0, isEstimated: false };
      yield { type: 'finish', model: name, reason, message, usage: usageOf(turn, request, message), cost };
    },
  };
}

/** One script under whatever name it is asked for. */
export function scriptedProvider(script: Script, options: Omit<ScriptedModelOptions, 'name'> = {}): ModelProvider {
  const models = new Map<string, Model>();
  return {
    defaultModel: 'script',
    model(name) {
      const model = models.get(name) ?? scriptedModel(script, { ...options, name: `scripted/${name}` });
      models.set(name, model);
      return model;
    },
  };
}

class Player {
  readonly #name: string;
  readonly #script: Script;
  /** By the answer that they keep back: how many of the turns that go wrong were played. */
  readonly #failed = new Map<number, number>();

  constructor(name: string, script: Script) {
    this.#name = name;
    this.#script = script;
  }

  async next(request: ModelRequest): Promise<{ readonly turn: ScriptedTurn; readonly place: number }> {
    const place = request.messages.filter(({ role }) => role === 'assistant').length;
    if (typeof this.#script === 'function') return { turn: await this.#script(request), place };
    const group = groupOf(this.#script, place);
    const failed = this.#failed.get(place) ?? 0;
    const turn = group[failed];
    if (turn === undefined)
      throw modelFault({
        model: this.#name,
        reason: 'script_ended',
        why: `the script has ${this.#script.length} turns, and all were played`,
      });
    if (turn.fault === undefined) this.#failed.delete(place);
    else this.#failed.set(place, failed + 1);
    return { turn, place };
  }
}

/** The turns that go wrong before the answer of this number, and the answer. */
function groupOf(script: readonly ScriptedTurn[], place: number): readonly ScriptedTurn[] {
  let answers = 0;
  return script.filter((turn) => (turn.fault === undefined ? answers++ : answers) === place);
}

function contentOf({ reasoning, text, calls = [] }: ScriptedTurn, place: number): readonly AssistantContent[] {
  return [
    ...(reasoning === undefined ? [] : [{ type: 'reasoning', text: reasoning } as const]),
    ...(text === undefined ? [] : [{ type: 'text', text } as const]),
    ...calls.map((call, index) => callOf(call, `call_${place}_${index}`)),
  ];
}

function callOf(call: ScriptedCall, id: string): AssistantContent {
  if ('input' in call) return { type: 'tool_call', id, name: call.name, input: call.input };
  return { type: 'malformed_call', id, name: call.name, text: call.malformed, reason: MALFORMED };
}

function isCall({ type }: AssistantContent): boolean {
  return type === 'tool_call' || type === 'malformed_call';
}

function* partsOf({ fault }: ScriptedTurn, content: readonly AssistantContent[]): Generator<ModelPart> {
  for (const part of content) {
    if (part.type === 'text' || part.type === 'reasoning') {
      for (const text of piecesOf(part.text)) yield { type: part.type, text };
      continue;
    }
    const { id, name } = part;
    yield { type: 'tool_input_start', id, name };
    for (const text of piecesOf(part.type === 'tool_call' ? JSON.stringify(part.input) : part.text))
      yield { type: 'tool_input_delta', id, text };
    if (fault !== undefined) return; // Broken off before anybody could take it for a call.
    yield { type: 'tool_input_end', id };
    yield part;
  }
}

function usageOf({ usage }: ScriptedTurn, request: ModelRequest, message: AssistantMessage): ModelUsage {
  const nothing = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  if (usage !== undefined) return { ...nothing, ...usage, isEstimated: false };
  const estimated = {
    inputTokens: tokensOfRequest(request),
    outputTokens: tokensOfAnswer(message),
    reasoningTokens: tokensOfReasoning(message),
  };
  return { ...nothing, ...estimated, isEstimated: true };
}

function faultOf(model: string, { fault = 'overloaded', retryAfterMs }: ScriptedTurn): Error {
  return modelFault({ model, reason: fault, why: `the script says ${fault}`, retryAfterMs });
}

async function defaultPause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted()); // With what it was fired with, not with an error of the timer.
}

/** The stream of the library as parts of ours. It gathers what was said, so that it can be said again, and knows an answer that ended from one that broke off. */
import type { JsonObject } from '@warren/protocol';
import type { AssistantContent, AssistantMessage, FinishReason, ModelPart, ModelUsage } from '../model.ts';
import type { ModelFailure } from '../model-failure.ts';
import { fieldOf } from './failure-of-answer.ts';
import { failureOfError } from './failure-of-error.ts';
import { IS_END, type LibraryPart } from './library.ts';
import type { ProviderRow } from './providers.ts';
import { readUsage } from './read-usage.ts';

/** How it ended. `usage` undefined: nobody said. */
export type StreamEnd = {
  readonly reason: FinishReason;
  readonly message: AssistantMessage;
  readonly usage: ModelUsage | undefined;
  /** What the provider says that it costs. */
  readonly costMicros: number | undefined;
};

/** Text, thoughts and inputs together: what nobody reads on. */
const SAID_CHARACTERS_MAX = 16_777_216;
const CALLS_MAX = 256;

/** A failure in the stream: the message comes later, from whoever knows the model. */
export class StreamFailure extends Error {
  readonly failure: Omit<ModelFailure, 'model'>;

  constructor(failure: Omit<ModelFailure, 'model'>) {
    super(failure.why);
    this.failure = failure;
  }
}

export async function* readStream(
  stream: ReadableStream<LibraryPart>,
  row: ProviderRow,
  clean: (text: string) => string,
): AsyncGenerator<ModelPart, StreamEnd> {
  const said = new Said();
  let isEnded = false;
  let rawUsage: unknown;
  for await (const part of stream) {
    switch (part.type) {
      case 'raw':
        isEnded ||= IS_END[row.wire](fieldOf(part.rawValue, 'type'));
        rawUsage = fieldOf(part.rawValue, 'usage') ?? fieldOf(fieldOf(part.rawValue, 'x_groq'), 'usage') ?? rawUsage;
        break;
      case 'text-start':
      case 'reasoning-start':
        said.open(part.id, part.type === 'text-start' ? 'text' : 'reasoning', part.providerMetadata);
        break;
      case 'text-delta':
      case 'reasoning-delta': {
        const type = part.type === 'text-delta' ? 'text' : 'reasoning';
        said.add(part.id, type, part.delta, part.providerMetadata);
        if (part.delta !== '') yield { type, text: part.delta };
        break;
      }
      case 'text-end':
      case 'reasoning-end':
        said.keep(part.id, part.providerMetadata);
        break;
      case 'tool-input-start':
        yield { type: 'tool_input_start', id: part.id, name: part.toolName };
        break;
      case 'tool-input-delta':
        said.count(part.delta);
        if (part.delta !== '') yield { type: 'tool_input_delta', id: part.id, text: part.delta };
        break;
      case 'tool-input-end':
        yield { type: 'tool_input_end', id: part.id };
        break;
      case 'tool-call':
        yield said.call(part);
        break;
      case 'error':
        throw new StreamFailure(failureOfError(part.error, clean));
      case 'finish': {
        const { unified, raw } = part.finishReason;
        if (!isEnded && raw === undefined) throw new StreamFailure({ reason: 'cut', why: 'its answer ends in the middle' });
        if (unified === 'error')
          throw new StreamFailure(
            raw === 'MALFORMED_FUNCTION_CALL'
              ? { reason: 'garbled', why: 'it made a call that its provider cannot read' }
              : { reason: 'overloaded', why: 'it breaks off' },
          );
        const { usage, costMicros } = readUsage(part.usage, rawUsage, row);
        return { reason: reasonOf(unified, raw, said.hasCalls), message: said.message, usage, costMicros };
      }
      default: // Sources, files and what a provider carried out itself: nothing that was asked for.
    }
  }
  throw new StreamFailure({ reason: 'cut', why: 'its answer ends in the middle' });
}

function reasonOf(unified: string, raw: string | undefined, hasCalls: boolean): FinishReason {
  if (unified === 'content-filter' || raw === 'refusal') return 'refused';
  if (unified === 'length') return 'length';
  if (hasCalls) return 'tool_calls'; // Some say `stop` all the same.
  return unified === 'stop' ? 'stop' : 'other';
}

type Metadata = Extract<LibraryPart, { type: 'text-start' }>['providerMetadata'];
type Call = Extract<LibraryPart, { type: 'tool-call' }>;
type Piece = { readonly type: 'text' | 'reasoning'; text: string; metadata: JsonObject | undefined };
type SaidCall = Exclude<AssistantContent, { type: 'text' | 'reasoning' }>;

/** What was said so far, in the order in which it began. */
class Said {
  readonly #content: (Piece | SaidCall)[] = [];
  readonly #open = new Map<string, Piece>();
  readonly #ids = new Set<string>();
  #characters = 0;

  get hasCalls(): boolean {
    return this.#ids.size > 0;
  }

  /** Pieces that say nothing and have nothing to be kept are left out. */
  get message(): AssistantMessage {
    const content = this.#content.flatMap((part): readonly AssistantContent[] => {
      if ('id' in part) return [part];
      const { type, text, metadata } = part;
      return text === '' && metadata === undefined ? [] : [{ type, text, ...(metadata !== undefined && { metadata }) }];
    });
    return { role: 'assistant', content };
  }

  open(id: string, type: Piece['type'], metadata: Metadata): void {
    const piece: Piece = { type, text: '', metadata: undefined };
    this.#content.push(piece);
    this.#open.set(keyOf(type, id), piece);
    this.#keep(piece, metadata);
  }

  add(id: string, type: Piece['type'], text: string, metadata: Metadata): void {
    this.count(text);
    if (!this.#open.has(keyOf(type, id))) this.open(id, type, undefined);
    const piece = this.#open.get(keyOf(type, id));
    if (piece === undefined) return; // It was opened just now.
    piece.text += text;
    this.#keep(piece, metadata);
  }

  keep(id: string, metadata: Metadata): void {
    for (const type of ['text', 'reasoning'] as const) {
      const piece = this.#open.get(keyOf(type, id));
      if (piece !== undefined) this.#keep(piece, metadata);
    }
  }

  call({ toolCallId, toolName: name, input, providerMetadata }: Call) {
    if (this.#ids.size >= CALLS_MAX)
      throw new StreamFailure({ reason: 'answer_too_large', why: `it makes more than ${CALLS_MAX} calls at once` });
    const id = this.#ids.has(toolCallId) || toolCallId === '' ? `${toolCallId}_${this.#ids.size}` : toolCallId;
    this.#ids.add(id);
    const about = { id, name, ...(providerMetadata !== undefined && { metadata: providerMetadata as JsonObject }) }; // JSON, as it came.
    const parsed = parseInput(input);
    const call =
      typeof parsed === 'string'
        ? ({ type: 'malformed_call', ...about, text: input, reason: parsed } as const)
        : ({ type: 'tool_call', ...about, input: parsed } as const);
    this.#content.push(call);
    return call;
  }

  count(text: string): void {
    this.#characters += text.length;
    if (this.#characters > SAID_CHARACTERS_MAX)
      throw new StreamFailure({ reason: 'answer_too_large', why: `it says more than ${SAID_CHARACTERS_MAX} characters` });
  }

  #keep(piece: Piece, metadata: Metadata): void {
    if (metadata === undefined) return;
    const kept: Record<string, JsonObject> = { ...(piece.metadata as Record<string, JsonObject> | undefined) }; // By provider, objects.
    for (const [name, own] of Object.entries(metadata)) kept[name] = { ...kept[name], ...(own as JsonObject) }; // JSON, as it came.
    piece.metadata = kept;
  }
}

function keyOf(type: string, id: string): string {
  return `${type} ${id}`;
}

/** Nothing at all means no arguments. */
function parseInput(input: string): JsonObject | string {
  if (input.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(input);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as JsonObject) : 'the input is no JSON object'; // It was parsed from JSON.
  } catch {
    return 'the input is no JSON';
  }
}

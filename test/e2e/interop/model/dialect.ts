/** How one kind of model is spoken to, as far as a program needs that lets a model use tools. */
import type { JsonObject, JsonValue } from '@warren/protocol';

/** `namespace`: where the program keeps tools in groups, and wants to hear which. */
export type OfferedTool = { readonly name: string; readonly namespace?: string };
export type Turn = { readonly call: OfferedTool; readonly input: JsonObject } | { readonly say: string };

export interface Dialect {
  readonly name: string;
  /** Whether a request to this path asks the model for its turn. */
  readonly asksAt: (path: string) => boolean;
  readonly toolsOf: (request: JsonObject) => readonly OfferedTool[];
  /** What the calls so far came to, as the program tells the model. */
  readonly resultsOf: (request: JsonObject) => readonly string[];
  /** A turn as the events of a stream. `id` is its own: programs drop what has one they saw. */
  readonly eventsOf: (turn: Turn, id: string) => readonly JsonObject[];
}

export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value)
    ? value.filter((item): item is JsonObject => typeof item === 'object' && item !== null && !Array.isArray(item))
    : [];
}

export function textIn(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

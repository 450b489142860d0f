/** One wire format: how a request has to look, and how an answer does. Written after what its maker publishes, not after what any client sends. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServedTurn } from './served-turn.ts';

export type Body = Readonly<Record<string, unknown>>;
export type ServerEvent = { readonly event?: string; readonly data: unknown };

export type WireRequest = { readonly provider: string; readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Body };

export interface Wire {
  /** What is wrong with it, by the published rules. */
  problems(request: WireRequest): readonly string[];
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  /** How often the model answered so far. */
  placeOf(body: Body): number;
  /** Up to the end; the last one ends the answer. */
  events(turn: ServedTurn, request: WireRequest, place: number): readonly ServerEvent[];
  /** Told in the middle of a stream. */
  errorEvents(message: string): readonly ServerEvent[];
  /** Whether a stream ends with `[DONE]`. */
  readonly hasDone: boolean;
  error(status: number, fault: string, message: string): unknown;
}

/** As a maker signs what its model thought: whoever changes a thought, or loses what belongs to it, is found out. */
export function signatureOf(thought: string): string {
  return createHash('sha256').update(`thought:${thought}`).digest('base64');
}

export function objectsIn(value: unknown): readonly Body[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

/** Runs of what the model said; what stands between them somebody else did. */
export function countRuns<T>(items: readonly T[], isModels: (item: T) => boolean): number {
  return items.filter((item, index) => {
    const before = items[index - 1];
    return isModels(item) && (before === undefined || !isModels(before));
  }).length;
}

/** Names and schemas of functions, wherever a format puts them. */
export function toolProblems(tools: readonly { readonly name: unknown; readonly schema: unknown }[]): readonly string[] {
  return tools.flatMap(({ name, schema }) => {
    const isNamed = typeof name === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(name);
    const type = (schema as Body | undefined)?.['type']; // Looked at only.
    return [
      ...(isNamed ? [] : [`tool name ${String(name)}`]),
      ...(type === undefined || type === 'object' ? [] : ['a schema that is no object']),
    ];
  });
}

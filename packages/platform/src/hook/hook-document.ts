/** What a hook outside of this process is told, and what it says, as JSON. */
import type { JsonObject, JsonValue, WorkspaceId } from '@warren/protocol';
import type { HookPoint } from './hook-points.ts';
import type { HookPayloads } from './hooks.ts';

export const ANSWER_BYTES_MAX = 4_194_304;

export function documentOf<Point extends HookPoint>(hook: Point, workspace: WorkspaceId, payload: HookPayloads[Point]): JsonObject {
  const words = Object.entries(payload).map(([name, value]) => [wordOf(name), (value ?? null) as JsonValue] as const); // Made of JSON.
  return { hook, workspace, ...Object.fromEntries(words) };
}

/** Nothing, or a verdict. Throws when it is no JSON: what was meant is not known then. */
export function readAnswer(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it answers no JSON');
  }
}

function wordOf(name: string): string {
  return name === 'toolName' ? 'capability' : name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

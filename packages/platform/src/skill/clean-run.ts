/** What a skill said, without secrets, wherever in it they stand. */
import type { Redact } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { CapabilityError } from '../capability/handler.ts';
import type { SkillRun } from './skill.ts';

export function cleanRun(run: SkillRun, redact: Redact): SkillRun {
  return { ...run, result: cleanJson(run.result, redact), log: redact(run.log) };
}

export function cleanError({ type, message, context }: CapabilityError, redact: Redact): CapabilityError {
  return new CapabilityError(type, redact(message), { context: context === undefined ? undefined : cleanObject(context, redact) });
}

/** It is as deep as JSON of a skill may be. */
function cleanJson(value: JsonValue, redact: Redact): JsonValue {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  return isList(value) ? value.map((each) => cleanJson(each, redact)) : cleanObject(value, redact);
}

function cleanObject(value: JsonObject, redact: Redact): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [redact(key), cleanJson(each, redact)]));
}

/** As Array.isArray, which does not know that a list may be readonly. */
function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

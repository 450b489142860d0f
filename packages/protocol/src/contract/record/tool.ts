/** Capabilities as functions of models, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { prose, word } from '../value/text.ts';

/** Whose interface takes them so. */
export const toolFormat = z.enum(['anthropic', 'openai', 'openai-responses', 'gemini', 'mcp']);

export const exportedTools = z.object({
  format: toolFormat,
  /** What goes into a request as its `tools`. */
  tools: listOf(jsonObject),
  /** Which capability each name means; null for the one that asks what became of a call. */
  names: listOf(z.object({ name: word, capability: word.nullable() })),
  /** What may be called and cannot be said in this format. */
  left_out: listOf(z.object({ capability: word, reason: prose })),
});

export type ToolFormat = z.output<typeof toolFormat>;

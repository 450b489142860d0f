/** What was said in a session, as a model is told it. Whatever is in the file of a session, what comes out is something that every model takes. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import type { AssistantContent, ModelMessage, ToolResultContent } from '../model/model.ts';
import type { SessionEntry } from '../session/sessions.ts';
import { textOf } from '../session/text-of.ts';

/** A run that ended in the middle of its calls left them without an answer. */
const UNANSWERED = 'The run ended before there was a result: whether this was carried out is not known';

export function sessionMessages(entries: readonly SessionEntry[]): readonly ModelMessage[] {
  const messages: ModelMessage[] = [];
  let open = new Map<string, string>();
  let results: ToolResultContent[] = [];
  const answer = (): void => {
    for (const [id, name] of open) results.push(resultContent({ id, name }, UNANSWERED, true));
    if (results.length > 0) messages.push({ role: 'tool', content: results });
    [open, results] = [new Map(), []];
  };
  for (const entry of entries) {
    if (entry.type !== 'message' && entry.type !== 'summary') continue;
    if (entry.type === 'message' && entry.role === 'tool') {
      const content = partsIn(entry.content).filter(isResult);
      for (const result of content) if (open.delete(result.id)) results.push(result);
      continue;
    }
    answer();
    if (entry.type === 'message' && entry.role === 'assistant') {
      const content = withoutTwins(partsIn(entry.content).filter(isSaid));
      if (content.length > 0) messages.push({ role: 'assistant', content });
      open = new Map(content.flatMap((part) => ('id' in part ? [[part.id, part.name]] : [])));
    } else messages.push({ role: 'user', content: [{ type: 'text', text: textOf(entry) || ' ' }] });
  }
  answer();
  return messages;
}

export function resultContent(
  { id, name }: { readonly id: string; readonly name: string },
  text: string,
  isError: boolean,
): ToolResultContent {
  return { ...{ type: 'tool_result', id, name, content: [{ type: 'text', text }] }, ...(isError && { isError }) };
}

function partsIn(content: JsonValue): readonly unknown[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : [];
}

/** No two calls of one message have the same id. */
function withoutTwins(content: readonly AssistantContent[]): readonly AssistantContent[] {
  const ids = new Set<string>();
  return content.filter((part) => !('id' in part) || (!ids.has(part.id) && ids.add(part.id).has(part.id)));
}

/** Files of sessions may be written by others, and by earlier versions. */
function isSaid(part: unknown): part is AssistantContent {
  if (!isObject(part)) return false;
  const { type, text, id, name, input, reason } = part;
  if (type === 'text' || type === 'reasoning') return typeof text === 'string';
  if (typeof id !== 'string' || typeof name !== 'string') return false;
  if (type === 'tool_call') return isObject(input);
  return type === 'malformed_call' && typeof text === 'string' && typeof reason === 'string';
}

function isResult(part: unknown): part is ToolResultContent {
  if (!isObject(part) || part['type'] !== 'tool_result') return false;
  const { id, name, content } = part;
  return typeof id === 'string' && typeof name === 'string' && Array.isArray(content) && content.every(isShown);
}

function isShown(part: unknown): boolean {
  if (!isObject(part)) return false;
  const { type, text, data, mediaType } = part;
  return type === 'text' ? typeof text === 'string' : type === 'image' && typeof data === 'string' && typeof mediaType === 'string';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What was said, as text to be read: for a model that sums it up. Long results are cut in the middle, as much as it takes to fit. */

import { tokensOfText } from '../model/estimate-tokens.ts';
import type { ModelMessage } from '../model/model.ts';

const PART_CHARACTERS = [20_000, 4_000, 1_000, 200];

export function renderConversation(messages: readonly ModelMessage[], tokensMax: number): string {
  let text = '';
  for (const characters of PART_CHARACTERS) {
    text = messages.map((message) => renderMessage(message, characters)).join('\n\n');
    if (tokensOfText(text) <= tokensMax) return text;
  }
  const characters = Math.floor((text.length * tokensMax) / tokensOfText(text));
  return shorten(text, characters);
}

function renderMessage({ role, content }: ModelMessage, characters: number): string {
  return `<${role}>\n${content.map((part) => renderPart(part, characters)).join('\n')}\n</${role}>`;
}

function renderPart(part: ModelMessage['content'][number], characters: number): string {
  switch (part.type) {
    case 'text':
      return shorten(part.text, characters);
    case 'reasoning':
      return '';
    case 'image':
      return '[an image]';
    case 'tool_call':
      return `[calls ${part.name} with ${shorten(JSON.stringify(part.input), characters)}]`;
    case 'malformed_call':
      return `[calls ${part.name} with what is no JSON]`;
    case 'tool_result':
      return `[${part.isError === true ? 'error' : 'result'} of ${part.name}: ${part.content.map((each) => renderPart(each, characters)).join('\n')}]`;
    default:
      return part satisfies never;
  }
}

function shorten(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const half = Math.floor(characters / 2);
  return `${text.slice(0, half).toWellFormed()} … [${text.length - 2 * half} characters left out] … ${text.slice(-half).toWellFormed()}`;
}

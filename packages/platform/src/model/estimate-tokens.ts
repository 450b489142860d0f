/** How many tokens something has, about: no tokenizer of any maker is asked. Rather too many than too few, since it stands in for a count that a provider does not give. */
import type { AssistantMessage, ModelMessage, ModelRequest } from './model.ts';

/** English is four bytes a token and code three; other scripts have two or three bytes a character and about one token for each. */
const BYTES_PER_TOKEN = 3;
/** What is plain English has a quarter fewer than that; hardly anything has fewer still. */
const LEAST_SHARE = 0.75;
/** What providers charge for an image of the size they scale to. */
const IMAGE_TOKENS = 1_600;
/** Roles, separators, names. */
const PART_TOKENS = 8;

export function tokensOfText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Of all that is said to the model. */
export function tokensOfRequest({ system = '', messages, tools = [], answer }: ModelRequest): number {
  let tokens = tokensOfText(system) + PART_TOKENS;
  for (const tool of tools) tokens += tokensOfText(JSON.stringify(tool)) + PART_TOKENS;
  if (answer !== undefined) tokens += tokensOfText(JSON.stringify(answer.schema));
  for (const message of messages) tokens += tokensOfMessage(message);
  return tokens;
}

/** As many it has for sure. */
export function leastTokensOfRequest(request: ModelRequest): number {
  return Math.floor(tokensOfRequest(request) * LEAST_SHARE);
}

/** Of all that the model said; at least one, so that nothing is free. */
export function tokensOfAnswer(message: AssistantMessage): number {
  return Math.max(1, tokensOfMessage(message));
}

export function tokensOfReasoning({ content }: AssistantMessage): number {
  return content.reduce((tokens, part) => (part.type === 'reasoning' ? tokens + tokensOfText(part.text) : tokens), 0);
}

function tokensOfMessage({ content }: ModelMessage): number {
  return content.reduce((tokens, part) => tokens + tokensOfPart(part), 0);
}

type Part = ModelMessage['content'][number];

function tokensOfPart(part: Part): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return tokensOfText(part.text) + PART_TOKENS;
    case 'image':
      return IMAGE_TOKENS;
    case 'tool_call':
      return tokensOfText(part.name) + tokensOfText(JSON.stringify(part.input)) + PART_TOKENS;
    case 'malformed_call':
      return tokensOfText(part.name) + tokensOfText(part.text) + PART_TOKENS;
    case 'tool_result':
      return part.content.reduce((tokens, each) => tokens + tokensOfPart(each), PART_TOKENS);
    default:
      return part satisfies never;
  }
}

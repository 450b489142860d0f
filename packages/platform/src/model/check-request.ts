/** What every provider refuses is refused before it is asked, in the same words for all of them. */
import type { AssistantMessage, ImageContent, ModelMessage, ModelRequest, ToolMessage } from './model.ts';
import { modelFault } from './model-failure.ts';

const MESSAGES_MAX = 100_000;
const TOOLS_MAX = 1_024;
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const IMAGE_TYPE = /^image\/[a-z0-9.+-]{1,64}$/;
/** Of base64. Providers take less, each another. */
const IMAGE_CHARACTERS_MAX = 32_000_000;

/** Throws `bad_request`. */
export function checkRequest(model: string, { messages, tools = [], toolChoice }: ModelRequest): void {
  const refuse = (why: string): never => {
    throw modelFault({ model, reason: 'bad_request', why });
  };
  if (messages.length === 0) refuse('nothing is said to it');
  if (messages.length > MESSAGES_MAX) refuse(`it is told ${messages.length} messages, the limit is ${MESSAGES_MAX}`);
  if (tools.length > TOOLS_MAX) refuse(`it is given ${tools.length} tools, the limit is ${TOOLS_MAX}`);
  const names = new Set<string>();
  for (const { name } of tools) {
    if (!TOOL_NAME.test(name))
      refuse(`the name of a tool is not 1 to 64 of letters, digits, _ and -: ${JSON.stringify(name).slice(0, 100)}`);
    if (names.has(name)) refuse(`two tools are named ${name}`);
    names.add(name);
  }
  if (typeof toolChoice === 'object' && !names.has(toolChoice.tool))
    refuse(`it is to use ${toolChoice.tool}, which is no tool of the request`);
  if (toolChoice === 'required' && tools.length === 0) refuse('it is to use a tool, and has none');
  checkMessages(messages, refuse);
}

function checkMessages(messages: readonly ModelMessage[], refuse: (why: string) => never): void {
  for (const [index, message] of messages.entries()) {
    const before = messages[index - 1];
    const open = before?.role === 'assistant' ? callsOf(before) : [];
    if (message.role === 'tool') checkAnswers(open, message, refuse);
    else if (open.length > 0) refuse(`a call is not answered: ${open.join(', ')}`);
    for (const part of imagesIn(message)) {
      if (!IMAGE_TYPE.test(part.mediaType)) refuse('the type of an image is not image/ and its format');
      if (part.data.length > IMAGE_CHARACTERS_MAX)
        refuse(`an image has ${part.data.length} characters, the limit is ${IMAGE_CHARACTERS_MAX}`);
    }
  }
  const last = messages.at(-1);
  if (last?.role === 'assistant') refuse('the last message is its own');
}

function checkAnswers(calls: readonly string[], { content }: ToolMessage, refuse: (why: string) => never): void {
  const answered = new Set(content.map(({ id }) => id));
  if (answered.size !== content.length) refuse('a call is answered twice');
  for (const id of calls) if (!answered.delete(id)) refuse(`a call is not answered: ${id}`);
  for (const id of answered) refuse(`an answer is to no call of the message before: ${id}`);
}

function callsOf({ content }: AssistantMessage): readonly string[] {
  return content.flatMap((part) => (part.type === 'tool_call' || part.type === 'malformed_call' ? [part.id] : []));
}

function imagesIn(message: ModelMessage): readonly ImageContent[] {
  const parts: readonly (ModelMessage['content'][number] | ImageContent)[] =
    message.role === 'tool' ? message.content.flatMap(({ content }) => content) : message.content;
  return parts.filter((part) => part.type === 'image');
}

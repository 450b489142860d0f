/** The shapes in which the interfaces of models take functions, each made of a tool as MCP lists it. What they refuse, and where they stop, is theirs: see the test beside it. */
import type { JsonObject } from '@warren/protocol';
import type { ToolFormat } from '@warren/protocol/contract';
import { geminiParameters } from './gemini-schema.ts';
import { plainSchema } from './plain-schema.ts';
import { strictSchema } from './strict-schema.ts';

/** A tool of MCP, as far as it is looked at here. */
export type Tool = JsonObject & { readonly name: string; readonly description: string; readonly inputSchema: JsonObject };

type Shape = {
  /** Throws `UnfitSchema`. */
  readonly function: (tool: Tool) => JsonObject;
  /** What goes into a request as `tools`. */
  readonly tools: (functions: readonly JsonObject[]) => readonly JsonObject[];
  readonly functionsMax: number;
};

/** OpenAI refuses longer ones, at least for some models. */
const DESCRIPTION_LENGTH_MAX = 1_024;
const AS_THEY_ARE = (functions: readonly JsonObject[]): readonly JsonObject[] => functions;

export const TOOL_FORMATS: Readonly<Record<ToolFormat, Shape>> = {
  mcp: { function: (tool) => tool, tools: AS_THEY_ARE, functionsMax: Number.POSITIVE_INFINITY },
  anthropic: {
    function: ({ name, description, inputSchema }) => ({ name, description, input_schema: plainSchema(inputSchema) }),
    tools: AS_THEY_ARE,
    functionsMax: Number.POSITIVE_INFINITY,
  },
  openai: {
    function: (tool) => ({ type: 'function', function: openAiFunction(tool) }),
    tools: AS_THEY_ARE,
    functionsMax: 128,
  },
  'openai-responses': {
    function: (tool) => ({ type: 'function', ...openAiFunction(tool) }),
    tools: AS_THEY_ARE,
    functionsMax: 128,
  },
  gemini: {
    function: ({ name, description, inputSchema }) => {
      const parameters = geminiParameters(plainSchema(inputSchema));
      return { name, description, ...(parameters !== undefined && { parameters }) };
    },
    tools: (functionDeclarations) => (functionDeclarations.length === 0 ? [] : [{ functionDeclarations }]),
    functionsMax: 128,
  },
};

/** Said either way: in one of the two interfaces functions are strict unless it is. */
function openAiFunction({ name, description, inputSchema }: Tool): JsonObject {
  const plain = plainSchema(inputSchema);
  const strict = strictSchema(plain);
  const text =
    description.length <= DESCRIPTION_LENGTH_MAX ? description : `${description.slice(0, DESCRIPTION_LENGTH_MAX - 1).toWellFormed()}…`;
  return { name, description: text, parameters: strict ?? plain, strict: strict !== undefined };
}

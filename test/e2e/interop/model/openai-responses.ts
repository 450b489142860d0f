import type { JsonObject } from '@warren/protocol';
import { type Dialect, type OfferedTool, objectsIn, type Turn, textIn } from './dialect.ts';

const USAGE = { input_tokens: 1, input_tokens_details: null, output_tokens: 1, output_tokens_details: null, total_tokens: 2 };

export const openAiResponses: Dialect = {
  name: 'OpenAI Responses',
  asksAt: (path) => path.endsWith('/responses'),
  toolsOf: ({ tools }) => objectsIn(tools).flatMap(toolsIn),
  resultsOf: ({ input }) =>
    objectsIn(input)
      .filter(({ type }) => type === 'function_call_output')
      .map(({ output }) => JSON.stringify(output)),
  eventsOf: (turn, id) => [
    { type: 'response.created', response: { id: `resp_${id}` } },
    { type: 'response.output_item.done', output_index: 0, item: itemOf(turn, id) },
    { type: 'response.completed', response: { id: `resp_${id}`, usage: USAGE } },
  ],
};

/** One server's tools may come as a group. */
function toolsIn({ type, name, tools }: JsonObject): readonly OfferedTool[] {
  if (type === 'namespace') return objectsIn(tools).map((tool) => ({ name: textIn(tool['name']), namespace: textIn(name) }));
  return type === 'function' ? [{ name: textIn(name) }] : [];
}

function itemOf(turn: Turn, id: string): JsonObject {
  if ('say' in turn) return { type: 'message', role: 'assistant', id: `item_${id}`, content: [{ type: 'output_text', text: turn.say }] };
  const { name, namespace } = turn.call;
  const call = { type: 'function_call', id: `item_${id}`, call_id: `call_${id}`, name, arguments: JSON.stringify(turn.input) };
  return namespace === undefined ? call : { ...call, namespace };
}

import type { JsonObject } from '@warren/protocol';
import { type Dialect, objectsIn, type Turn, textIn } from './dialect.ts';

const MESSAGE = { type: 'message', role: 'assistant', model: 'stand-in', content: [], stop_reason: null, stop_sequence: null };
const USAGE = { input_tokens: 1, output_tokens: 1 };

export const anthropicMessages: Dialect = {
  name: 'Anthropic Messages',
  asksAt: (path) => path.endsWith('/v1/messages'),
  toolsOf: ({ tools }) => objectsIn(tools).map(({ name }) => ({ name: textIn(name) })),
  resultsOf: ({ messages }) =>
    objectsIn(messages)
      .flatMap(({ content }) => objectsIn(content))
      .filter(({ type }) => type === 'tool_result')
      .map(({ content }) => JSON.stringify(content)),
  eventsOf: (turn, id) => [
    { type: 'message_start', message: { ...MESSAGE, id: `msg_${id}`, usage: USAGE } },
    ...blockOf(turn, id),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'call' in turn ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: USAGE },
    { type: 'message_stop' },
  ],
};

function blockOf(turn: Turn, id: string): readonly JsonObject[] {
  const [block, delta] =
    'call' in turn
      ? [
          { type: 'tool_use', id: `toolu_${id}`, name: turn.call.name, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(turn.input) },
        ]
      : [
          { type: 'text', text: '' },
          { type: 'text_delta', text: turn.say },
        ];
  return [
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
  ];
}

/** Messages of Anthropic. */
import { argumentsOf, halves, type ServedTurn, usageOf } from './served-turn.ts';
import { type Body, countRuns, objectsIn, type ServerEvent, signatureOf, toolProblems, type Wire } from './wire.ts';

const FIELDS = new Set([
  ...['model', 'max_tokens', 'messages', 'system', 'tools', 'tool_choice', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  ...['thinking', 'metadata', 'output_format', 'output_config', 'service_tier', 'context_management', 'cache_control'],
]);
const STOPS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use', refused: 'refusal', other: 'pause_turn' } as const;
const ERRORS: Readonly<Record<number, string>> = {
  ...{ 400: 'invalid_request_error', 401: 'authentication_error', 402: 'billing_error', 403: 'permission_error', 404: 'not_found_error' },
  ...{ 413: 'request_too_large', 429: 'rate_limit_error', 500: 'api_error', 529: 'overloaded_error' },
};

export const anthropicWire: Wire = {
  hasDone: false,
  keyOf: (headers) => headers['x-api-key']?.toString(),
  placeOf: (body) => countRuns(objectsIn(body['messages']), ({ role }) => role === 'assistant'),

  problems({ headers, body }) {
    const problems: string[] = [];
    if (headers['anthropic-version'] !== '2023-06-01') problems.push('anthropic-version is missing');
    if (headers.authorization !== undefined) problems.push('authorization beside x-api-key');
    for (const field of Object.keys(body)) if (!FIELDS.has(field)) problems.push(`${field}: Extra inputs are not permitted`);
    if (typeof body['model'] !== 'string') problems.push('model: Field required');
    if (!Number.isInteger(body['max_tokens']) || Number(body['max_tokens']) < 1) problems.push('max_tokens: Field required');
    const messages = objectsIn(body['messages']);
    if (messages.length === 0 || messages[0]?.['role'] !== 'user') problems.push('messages: first message must use the "user" role');
    for (const [index, message] of messages.entries()) problems.push(...messageProblems(message, messages[index + 1]));
    problems.push(...toolProblems(objectsIn(body['tools']).map(({ name, input_schema: schema }) => ({ name, schema }))));
    const marks = JSON.stringify(body).split('"cache_control"').length - 1;
    if (marks > 4) problems.push('A maximum of 4 blocks with cache_control may be provided');
    return problems;
  },

  events(turn, { body }, place) {
    const usage = usageOf(turn);
    const started = {
      input_tokens: usage === undefined ? 0 : usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens,
      cache_creation_input_tokens: usage?.cacheWriteTokens ?? 0,
      cache_read_input_tokens: usage?.cacheReadTokens ?? 0,
      output_tokens: usage === undefined ? 0 : 1,
    };
    const about = {
      id: `msg_${place}`,
      type: 'message',
      role: 'assistant',
      model: body['model'],
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    const stop = STOPS[turn.finish ?? (turn.calls === undefined || turn.calls.length === 0 ? 'stop' : 'tool_calls')];
    return [
      named({ type: 'message_start', message: { ...about, usage: started } }),
      named({ type: 'ping' }),
      ...blocksOf(turn, place).flatMap(({ start, deltas }, index) => [
        named({ type: 'content_block_start', index, content_block: start }),
        ...deltas.map((delta) => named({ type: 'content_block_delta', index, delta })),
        named({ type: 'content_block_stop', index }),
      ]),
      named({
        type: 'message_delta',
        delta: { stop_reason: stop, stop_sequence: null },
        usage: {
          output_tokens: usage?.outputTokens ?? 0,
          ...(usage !== undefined && { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
        },
      }),
      named({ type: 'message_stop' }),
    ];
  },

  errorEvents: (message) => [named({ type: 'error', error: { type: 'overloaded_error', message } })],
  error: (status, _fault, message) => ({ type: 'error', error: { type: ERRORS[status] ?? 'api_error', message }, request_id: 'req_1' }),
};

function named(data: { readonly type: string } & Body): ServerEvent {
  return { event: data.type, data };
}

function blocksOf(
  { reasoning, text, calls = [] }: ServedTurn,
  place: number,
): readonly { readonly start: Body; readonly deltas: readonly Body[] }[] {
  const thinking =
    reasoning === undefined
      ? []
      : [
          {
            start: { type: 'thinking', thinking: '', signature: '' },
            deltas: [
              ...halves(reasoning).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
              { type: 'signature_delta', signature: signatureOf(reasoning) },
            ],
          },
        ];
  const said =
    text === undefined
      ? []
      : [{ start: { type: 'text', text: '' }, deltas: halves(text).map((piece) => ({ type: 'text_delta', text: piece })) }];
  const called = calls.map((call, index) => ({
    start: { type: 'tool_use', id: `toolu_${place}_${index}`, name: call.name, input: {} },
    deltas: ['', ...halves(argumentsOf(call))].map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
  }));
  return [...thinking, ...said, ...called];
}

function messageProblems(message: Body, next: Body | undefined): readonly string[] {
  const { role, content } = message;
  if (role !== 'user' && role !== 'assistant') return [`messages: role ${String(role)}`];
  const blocks = objectsIn(content);
  if (typeof content !== 'string' && blocks.length === 0) return ['messages: content must be non-empty'];
  const problems: string[] = [];
  for (const { type, text, thinking, signature, source } of blocks) {
    if (type === 'text' && (typeof text !== 'string' || text === '')) problems.push('messages: text content blocks must be non-empty');
    if (type === 'thinking' && signature !== signatureOf(String(thinking)))
      problems.push('messages: Invalid `signature` in `thinking` block');
    if (type === 'image' && (source as Body)['type'] === 'base64' && typeof (source as Body)['media_type'] !== 'string')
      problems.push('messages: image without media_type'); // A block has one.
  }
  const answered = new Set(objectsIn(next?.['content']).flatMap(({ type, tool_use_id: id }) => (type === 'tool_result' ? [id] : [])));
  for (const { type, id, input } of blocks) {
    if (type !== 'tool_use') continue;
    if (typeof input !== 'object' || Array.isArray(input)) problems.push('tool_use: input: Input should be a valid dictionary');
    if (!answered.has(id)) problems.push(`tool_use ids were found without tool_result blocks immediately after: ${String(id)}`);
  }
  return problems;
}

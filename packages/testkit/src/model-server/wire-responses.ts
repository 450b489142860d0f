/** Responses of OpenAI. */
import { argumentsOf, halves, type ServedTurn, usageOf } from './served-turn.ts';
import { type Body, countRuns, objectsIn, type ServerEvent, signatureOf, toolProblems, type Wire } from './wire.ts';

const FIELDS = new Set([
  ...[
    'model',
    'input',
    'instructions',
    'max_output_tokens',
    'stream',
    'store',
    'include',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'temperature',
  ],
  ...[
    'top_p',
    'reasoning',
    'text',
    'metadata',
    'prompt_cache_key',
    'previous_response_id',
    'truncation',
    'user',
    'service_tier',
    'top_logprobs',
  ],
]);

export const responsesWire: Wire = {
  hasDone: false,
  keyOf: bearer,
  placeOf: (body) =>
    countRuns(objectsIn(body['input']), ({ role, type }) => role === 'assistant' || type === 'function_call' || type === 'reasoning'),

  problems({ body }) {
    const problems: string[] = [];
    for (const field of Object.keys(body)) if (!FIELDS.has(field)) problems.push(`Unknown parameter: '${field}'.`);
    if (typeof body['model'] !== 'string') problems.push("Missing required parameter: 'model'.");
    if (body['store'] !== false) problems.push('What is said is to be kept');
    const input = objectsIn(body['input']);
    if (input.length === 0) problems.push("Missing required parameter: 'input'.");
    const results = new Set(input.flatMap(({ type, call_id: id }) => (type === 'function_call_output' ? [id] : [])));
    const calls = new Set(input.flatMap(({ type, call_id: id }) => (type === 'function_call' ? [id] : [])));
    for (const id of calls) if (!results.has(id)) problems.push(`No tool output found for function call ${String(id)}.`);
    for (const id of results) if (!calls.has(id)) problems.push(`No tool call found for function call output with call_id ${String(id)}.`);
    for (const { type, summary, encrypted_content: sealed } of input) {
      if (type === 'item_reference') problems.push('Items are not persisted when `store` is set to false.');
      const thought = objectsIn(summary)
        .map(({ text }) => text)
        .join('');
      if (type === 'reasoning' && sealed !== signatureOf(thought)) problems.push('The encrypted content could not be verified.');
    }
    problems.push(...toolProblems(objectsIn(body['tools']).map(({ name, parameters: schema }) => ({ name, schema }))));
    return problems;
  },

  events(turn, { body }, place) {
    const usage = usageOf(turn);
    const response = { id: `resp_${place}`, object: 'response', created_at: 1_760_000_000, model: body['model'], output: [], error: null };
    const end = turn.finish === 'length' ? 'max_output_tokens' : turn.finish === 'refused' ? 'content_filter' : undefined;
    const items = itemsOf(turn, place);
    const typed: readonly Body[] = [
      { type: 'response.created', response: { ...response, status: 'in_progress', usage: null } },
      { type: 'response.in_progress', response: { ...response, status: 'in_progress', usage: null } },
      ...items.flatMap(({ added, between, done }, index) => [
        { type: 'response.output_item.added', output_index: index, item: added },
        ...between.map((each) => ({ ...each, output_index: index, item_id: added['id'] })),
        { type: 'response.output_item.done', output_index: index, item: done },
      ]),
      {
        type: end === undefined ? 'response.completed' : 'response.incomplete',
        response: {
          ...{ ...response, status: end === undefined ? 'completed' : 'incomplete', output: items.map(({ done }) => done) },
          incomplete_details: end === undefined ? null : { reason: end },
          usage:
            usage === undefined
              ? null
              : {
                  input_tokens: usage.inputTokens,
                  input_tokens_details: { cached_tokens: usage.cacheReadTokens },
                  output_tokens: usage.outputTokens,
                  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
                  total_tokens: usage.inputTokens + usage.outputTokens,
                },
        },
      },
    ];
    return typed.map((data, sequence): ServerEvent => ({ event: String(data['type']), data: { ...data, sequence_number: sequence } }));
  },

  errorEvents: (message) => [{ event: 'error', data: { type: 'error', sequence_number: 99, code: 'server_error', message, param: null } }],
  error: openAiError,
};

export function bearer(headers: { readonly authorization?: string | undefined }): string | undefined {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
}

const CODES: Readonly<Record<string, string>> = {
  ...{
    key_refused: 'invalid_api_key',
    unpaid: 'insufficient_quota',
    rate_limited: 'rate_limit_exceeded',
    unknown_model: 'model_not_found',
  },
  ...{ context_too_long: 'context_length_exceeded', refused: 'content_policy_violation' },
};

export function openAiError(status: number, fault: string, message: string): unknown {
  return { error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: CODES[fault] ?? null } };
}

type Item = { readonly added: Body; readonly between: readonly Body[]; readonly done: Body };

function itemsOf({ reasoning, text, calls = [] }: ServedTurn, place: number): readonly Item[] {
  const thought = reasoning === undefined ? [] : [reasoningItem(reasoning, `rs_${place}`)];
  const said = text === undefined ? [] : [messageItem(text, `msg_${place}`)];
  return [
    ...thought,
    ...said,
    ...calls.map((call, index): Item => {
      const about = { type: 'function_call', id: `fc_${place}_${index}`, call_id: `call_${place}_${index}`, name: call.name };
      const all = argumentsOf(call);
      return {
        added: { ...about, arguments: '', status: 'in_progress' },
        between: [
          ...halves(all).map((delta) => ({ type: 'response.function_call_arguments.delta', delta })),
          { type: 'response.function_call_arguments.done', arguments: all },
        ],
        done: { ...about, arguments: all, status: 'completed' },
      };
    }),
  ];
}

function reasoningItem(reasoning: string, id: string): Item {
  const about = { type: 'reasoning', id };
  return {
    added: { ...about, summary: [], encrypted_content: '' },
    between: [
      { type: 'response.reasoning_summary_part.added', summary_index: 0, part: { type: 'summary_text', text: '' } },
      ...halves(reasoning).map((delta) => ({ type: 'response.reasoning_summary_text.delta', summary_index: 0, delta })),
      { type: 'response.reasoning_summary_text.done', summary_index: 0, text: reasoning },
      { type: 'response.reasoning_summary_part.done', summary_index: 0, part: { type: 'summary_text', text: reasoning } },
    ],
    done: { ...about, summary: [{ type: 'summary_text', text: reasoning }], encrypted_content: signatureOf(reasoning) },
  };
}

function messageItem(text: string, id: string): Item {
  const about = { type: 'message', id, role: 'assistant' };
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  return {
    added: { ...about, status: 'in_progress', content: [] },
    between: [
      { type: 'response.content_part.added', content_index: 0, part: { ...part, text: '' } },
      ...halves(text).map((delta) => ({ type: 'response.output_text.delta', content_index: 0, delta, logprobs: [] })),
      { type: 'response.output_text.done', content_index: 0, text, logprobs: [] },
      { type: 'response.content_part.done', content_index: 0, part },
    ],
    done: { ...about, status: 'completed', content: [part] },
  };
}

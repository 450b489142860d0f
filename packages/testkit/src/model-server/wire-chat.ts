/** Chat completions of OpenAI, and in what others of that format differ from it. */
import { argumentsOf, halves, type ServedTurn, usageOf } from './served-turn.ts';
import { type Body, countRuns, objectsIn, type ServerEvent, toolProblems, type Wire } from './wire.ts';
import { bearer, openAiError } from './wire-responses.ts';

/** Where thoughts stand. OpenAI shows none. */
const THOUGHTS: Readonly<Record<string, 'reasoning' | 'reasoning_content' | 'thinking'>> = {
  ...{ groq: 'reasoning', cerebras: 'reasoning', openrouter: 'reasoning', ollama: 'reasoning', mistral: 'thinking' },
  ...{ xai: 'reasoning_content', compatible: 'reasoning_content' },
};
/** Each call in one piece. */
const WHOLE_CALLS = new Set(['groq', 'mistral', 'xai', 'ollama']);
/** They give it unasked. */
const USAGE_UNASKED = new Set(['mistral', 'xai', 'openrouter']);
const STOPS = { stop: 'stop', length: 'length', tool_calls: 'tool_calls', refused: 'content_filter', other: 'something_new' } as const;
const FIELDS = new Set([
  ...[
    'model',
    'messages',
    'stream',
    'max_tokens',
    'max_completion_tokens',
    'temperature',
    'top_p',
    'tools',
    'tool_choice',
    'response_format',
  ],
  ...['stop', 'seed', 'frequency_penalty', 'presence_penalty', 'n', 'parallel_tool_calls'],
]);
/** On top of those. */
const MORE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  mistral: ['prompt_mode', 'random_seed', 'safe_prompt'],
  openrouter: ['stream_options', 'usage', 'reasoning', 'provider', 'models', 'transforms', 'user'],
  'openai-chat': [
    'stream_options',
    'reasoning_effort',
    'store',
    'user',
    'prompt_cache_key',
    'verbosity',
    'metadata',
    'logprobs',
    'logit_bias',
  ],
};
const OTHERS_MORE = ['stream_options', 'reasoning_effort', 'user'];

export const chatWire: Wire = {
  hasDone: true,
  keyOf: bearer,
  placeOf: (body) => countRuns(objectsIn(body['messages']), ({ role }) => role === 'assistant'),

  problems({ provider, body }) {
    const problems: string[] = [];
    const more = MORE_FIELDS[provider] ?? OTHERS_MORE;
    for (const field of Object.keys(body))
      if (!FIELDS.has(field) && !more.includes(field)) problems.push(`${field}: Extra inputs are not permitted`);
    if (typeof body['model'] !== 'string') problems.push('you must provide a model parameter');
    const effort = body['reasoning_effort'];
    if (provider === 'xai' && effort !== undefined && effort !== 'low' && effort !== 'high')
      problems.push(`reasoning_effort: ${String(effort)}`);
    const messages = objectsIn(body['messages']);
    if (messages.length === 0) problems.push('messages: too short');
    let open = new Set<unknown>();
    for (const message of messages) {
      const { role, tool_call_id: id } = message;
      if (role === 'tool') {
        if (!open.delete(id)) problems.push("messages with role 'tool' must be a response to a preceding message with 'tool_calls'");
        continue;
      }
      if (open.size > 0) problems.push(`An assistant message with 'tool_calls' must be followed by tool messages: ${[...open].join(', ')}`);
      open = new Set(objectsIn(message['tool_calls']).map((call) => call['id']));
      problems.push(...messageProblems(provider, message));
    }
    if (open.size > 0) problems.push(`An assistant message with 'tool_calls' must be followed by tool messages: ${[...open].join(', ')}`);
    const functions = objectsIn(body['tools']).map((tool) => tool['function'] as Body);
    problems.push(...toolProblems(functions.map(({ name, parameters: schema }) => ({ name, schema }))));
    return problems;
  },

  events(turn, { provider, body }, place) {
    const usage = usageOf(turn);
    const about = {
      id: `chatcmpl-${place}`,
      object: 'chat.completion.chunk',
      created: 1_760_000_000,
      model: body['model'],
      system_fingerprint: null,
    };
    const chunk = (delta: Body, finish: string | null = null, more: Body = {}): ServerEvent => ({
      data: { ...about, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...more },
    });
    const isReasoningApart = provider === 'xai';
    const counted =
      usage === undefined
        ? undefined
        : {
            prompt_tokens: usage.inputTokens,
            completion_tokens: usage.outputTokens - (isReasoningApart ? usage.reasoningTokens : 0),
            total_tokens: usage.inputTokens + usage.outputTokens,
            prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
            completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
            ...(provider === 'openrouter' && { cost: 0.00123 }),
          };
    const isAsked = (body['stream_options'] as Body | undefined)?.['include_usage'] === true; // As published.
    const stop = STOPS[turn.finish ?? (turn.calls === undefined || turn.calls.length === 0 ? 'stop' : 'tool_calls')];
    const isTold = counted !== undefined && (isAsked || USAGE_UNASKED.has(provider));
    return [
      chunk({ role: 'assistant', content: '' }, null, provider === 'groq' ? { x_groq: { id: 'req_1' } } : {}),
      ...deltasOf(turn, provider, place).map((delta) => chunk(delta)),
      // Mistral puts it beside the end; the others after it, where there are no choices.
      chunk({ ...(provider === 'mistral' && { content: '' }) }, stop, isTold && provider === 'mistral' ? { usage: counted } : {}),
      ...(isTold && provider !== 'mistral'
        ? [{ data: { ...about, choices: [], usage: counted, ...(provider === 'groq' && { x_groq: { id: 'req_1', usage: counted } }) } }]
        : []),
    ];
  },

  errorEvents: (message) => [{ data: { error: { message, type: 'server_error', code: 503 } } }],
  error: openAiError,
};

function deltasOf({ reasoning, text, calls = [] }: ServedTurn, provider: string, place: number): readonly Body[] {
  const where = THOUGHTS[provider];
  const thoughts = reasoning === undefined || where === undefined ? [] : halves(reasoning);
  return [
    ...thoughts.map((piece) =>
      where === 'thinking' ? { content: [{ type: 'thinking', thinking: [{ type: 'text', text: piece }] }] } : { [String(where)]: piece },
    ),
    ...(text === undefined ? [] : halves(text)).map((content) => ({ content })),
    ...calls.flatMap((call, index) => {
      const id = provider === 'mistral' ? `c${String(place).padStart(4, '0')}${String(index).padStart(4, '0')}` : `call_${place}_${index}`;
      const start = (all: string): Body => ({
        tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: all } }],
      });
      if (WHOLE_CALLS.has(provider)) return [start(argumentsOf(call))];
      return [start(''), ...halves(argumentsOf(call)).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }))];
    }),
  ];
}

function messageProblems(provider: string, { role, content, tool_calls: calls, ...rest }: Body): readonly string[] {
  const problems: string[] = [];
  if (!['system', 'developer', 'user', 'assistant'].includes(String(role))) problems.push(`messages: role ${String(role)}`);
  for (const field of Object.keys(rest)) if (field !== 'name') problems.push(`messages: property '${field}' is unsupported`);
  for (const { type, image_url: url } of objectsIn(content)) {
    if (type === 'image_url' && !/^(?:data:image\/|https:)/.test(String((url as Body | undefined)?.['url'])))
      problems.push('messages: image_url'); // Looked at only.
  }
  for (const call of objectsIn(calls)) {
    if (provider === 'mistral' && !/^[a-zA-Z0-9]{9}$/.test(String(call['id'])))
      problems.push('Tool call id has to be a-z, A-Z, 0-9, with a length of 9.');
    if (typeof (call['function'] as Body | undefined)?.['arguments'] !== 'string') problems.push('tool_calls: arguments are no text'); // As above.
  }
  return problems;
}

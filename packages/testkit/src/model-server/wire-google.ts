/** `streamGenerateContent` of Gemini. */
import { halves, type ServedTurn, usageOf } from './served-turn.ts';
import { type Body, countRuns, objectsIn, signatureOf, toolProblems, type Wire } from './wire.ts';

const STOPS = { stop: 'STOP', length: 'MAX_TOKENS', tool_calls: 'STOP', refused: 'SAFETY', other: 'OTHER' } as const;
const STATUSES: Readonly<Record<number, string>> = {
  ...{ 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 402: 'FAILED_PRECONDITION', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
  ...{ 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL', 503: 'UNAVAILABLE' },
};
const FIELDS = new Set([
  'contents',
  'systemInstruction',
  'generationConfig',
  'tools',
  'toolConfig',
  'safetySettings',
  'cachedContent',
  'labels',
  'serviceTier',
]);

export const googleWire: Wire = {
  hasDone: false,
  keyOf: (headers) => headers['x-goog-api-key']?.toString(),
  placeOf: (body) => countRuns(objectsIn(body['contents']), ({ role }) => role === 'model'),

  problems({ path, body }) {
    const problems: string[] = [];
    if (!/^\/v1beta\/models\/[\w.-]+:streamGenerateContent\?alt=sse$/.test(path)) problems.push(`path ${path}`);
    for (const field of Object.keys(body)) if (!FIELDS.has(field)) problems.push(`Invalid JSON payload received. Unknown name "${field}"`);
    const contents = objectsIn(body['contents']);
    if (contents.length === 0) problems.push('contents is not specified');
    for (const [index, { role, parts }] of contents.entries()) {
      if (role !== 'user' && role !== 'model') problems.push('Please use a valid role: user, model.');
      const calls = objectsIn(parts).filter(({ functionCall }) => functionCall !== undefined);
      const results = objectsIn(contents[index + 1]?.['parts']).filter(({ functionResponse }) => functionResponse !== undefined);
      if (calls.length !== results.length && calls.length > 0)
        problems.push('Please ensure that the number of function response parts is equal to the number of function call parts');
      if (/\/gemini-[3-9]/.test(path)) for (const part of calls) problems.push(...callProblems(part));
      if (objectsIn(parts).length === 0) problems.push('contents.parts must not be empty.');
    }
    const functions = objectsIn(body['tools']).flatMap(({ functionDeclarations }) => objectsIn(functionDeclarations));
    problems.push(...toolProblems(functions.map(({ name, parameters }) => ({ name, schema: parameters ?? undefined }))));
    return problems;
  },

  events(turn, { path }, place) {
    const usage = usageOf(turn);
    const [, model = ''] = /models\/([\w.-]+):/.exec(path) ?? [];
    const about = { modelVersion: model, responseId: `r${place}` };
    const counted =
      usage === undefined
        ? {}
        : {
            usageMetadata: {
              promptTokenCount: usage.inputTokens,
              cachedContentTokenCount: usage.cacheReadTokens,
              candidatesTokenCount: usage.outputTokens - usage.reasoningTokens,
              thoughtsTokenCount: usage.reasoningTokens,
              totalTokenCount: usage.inputTokens + usage.outputTokens,
            },
          };
    const isMalformed = turn.calls?.some((call) => 'malformed' in call) === true;
    const stop = isMalformed ? 'MALFORMED_FUNCTION_CALL' : STOPS[turn.finish ?? 'stop'];
    return [
      ...partsOf(turn).map((part) => ({ data: { candidates: [{ content: { parts: [part], role: 'model' }, index: 0 }], ...about } })),
      { data: { candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, finishReason: stop, index: 0 }], ...counted, ...about } },
    ];
  },

  errorEvents: (message) => [{ data: { error: { code: 503, message, status: 'UNAVAILABLE' } } }],
  error: (status, fault, message) => ({
    error: {
      ...{ code: status, message, status: STATUSES[status] ?? 'INTERNAL' },
      ...(fault === 'rate_limited' && { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }] }),
    },
  }),
};

function partsOf({ reasoning, text, calls = [] }: ServedTurn): readonly Body[] {
  return [
    ...(reasoning === undefined ? [] : halves(reasoning).map((piece) => ({ text: piece, thought: true }))),
    ...(text === undefined ? [] : halves(text).map((piece) => ({ text: piece }))),
    ...calls.flatMap((call) =>
      'input' in call
        ? [{ functionCall: { name: call.name, args: call.input }, thoughtSignature: signatureOf(call.name + JSON.stringify(call.input)) }]
        : [],
    ),
  ];
}

/** What it thought before a call has to come back with it. */
function callProblems({ functionCall, thoughtSignature }: Body): readonly string[] {
  const { name, args } = functionCall as Body; // Its caller saw that there is one.
  if (thoughtSignature === 'skip_thought_signature_validator') return []; // What another model called.
  return thoughtSignature === signatureOf(String(name) + JSON.stringify(args))
    ? []
    : [`Function call ${String(name)} is missing a thought_signature`];
}

/** What an answer that is no success means. Providers say the same with other statuses and words; what they say is passed on short. */
import { retryAfterMs } from '../../internal/retry-after.ts';
import type { ModelFailure, ModelFailureReason } from '../model-failure.ts';

export type FailedAnswer = { readonly status: number; readonly headers: Pick<Headers, 'get'>; readonly text: string };
type Parts = { readonly now: () => number; readonly clean: (text: string) => string };

/** The first that fits. Words count where providers use one status for several things. */
const MEANINGS: readonly { readonly status?: readonly number[]; readonly words?: RegExp; readonly reason: ModelFailureReason }[] = [
  {
    status: [400, 413, 422],
    words:
      /context[ _]?(?:length|window)|prompt is too long|maximum (?:prompt|context) length|input token count|too many (?:input )?tokens|reduce the length/i,
    reason: 'context_too_long',
  },
  { status: [402], reason: 'unpaid' },
  {
    status: [400, 403, 429],
    words: /insufficient_quota|credit balance|billing|payment|exceeded your current quota, please check your plan/i,
    reason: 'unpaid',
  },
  { status: [429], reason: 'rate_limited' },
  { status: [401, 403], reason: 'key_refused' },
  { status: [400], words: /api[ _-]?key (?:not valid|is invalid|invalid)|invalid api[ _-]?key/i, reason: 'key_refused' },
  {
    status: [400, 404, 422],
    words:
      /model_?[ ]?not_?[ ]?found|model\b.{0,120}\b(?:does not exist|not exist|not found)|invalid model|unknown model|no endpoints found/i,
    reason: 'unknown_model',
  },
  { status: [404], reason: 'unknown_model' },
  { status: [400, 422], words: /content[ _]?(?:policy|filter|management)|safety system|flagged/i, reason: 'refused' },
  { status: [408, 504], reason: 'timeout' },
  { status: [409, 425], reason: 'overloaded' },
];

export function failureOfAnswer({ status, headers, text }: FailedAnswer, { now, clean }: Parts): Omit<ModelFailure, 'model'> {
  const said = clean(messageIn(text));
  const reason = reasonOf(status, text);
  const wait = reason === 'rate_limited' || reason === 'overloaded' ? waitOf(headers, text, now()) : undefined;
  return { reason, why: `it answers ${status}${said === '' ? '' : `: ${said}`}`, retryAfterMs: wait, details: { status } };
}

/** Also for errors in the middle of a stream, which say what the status would have been. */
export function reasonOf(status: number, text: string): ModelFailureReason {
  const meaning = MEANINGS.find(
    ({ status: statuses, words }) => (statuses?.includes(status) ?? true) && (words === undefined || words.test(text.slice(0, 8_192))),
  );
  if (meaning !== undefined) return meaning.reason;
  return status >= 500 ? 'overloaded' : status < 400 ? 'unreachable' : 'bad_request'; // It is somewhere else.
}

/** Providers put it at `error.message`, `message`, `detail` or `error`; anything else is told as it is. */
function messageIn(text: string): string {
  const parsed = parse(text);
  const [first] = Array.isArray(parsed) ? parsed : [parsed]; // Google answers with a list of one.
  const error = fieldOf(first, 'error');
  for (const each of [fieldOf(error, 'message'), fieldOf(first, 'message'), fieldOf(first, 'detail'), error])
    if (typeof each === 'string') return each;
  return text;
}

function waitOf(headers: FailedAnswer['headers'], text: string, now: number): number | undefined {
  const ms = headers.get('retry-after-ms');
  if (ms !== null && /^\d{1,9}(\.\d{1,6})?$/.test(ms)) return Math.ceil(Number(ms));
  const wait = retryAfterMs(headers.get('retry-after') ?? undefined, now);
  if (wait !== undefined) return wait;
  const [, seconds] = /"retryDelay":\s*"(\d{1,6}(?:\.\d{1,9})?)s"/.exec(text) ?? []; // Google says it in the body.
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Then the text is all there is.
  }
}

export function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined; // It is an object.
}

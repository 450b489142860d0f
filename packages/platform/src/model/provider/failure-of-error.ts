/** What an error of the library, or one that a provider sends in the middle of a stream, means. */
import type { ModelFailure } from '../model-failure.ts';
import { fieldOf, reasonOf } from './failure-of-answer.ts';

type Clean = (text: string) => string;

/** Thrown, or given as a part of the stream. */
export function failureOfError(error: unknown, clean: Clean): Omit<ModelFailure, 'model'> {
  const name = fieldOf(error, 'name');
  if (typeof name === 'string' && /^AI_(?:JSONParse|TypeValidation|InvalidResponseData|InvalidStreamPart)Error$/.test(name)) {
    const said = String(fieldOf(error, 'message'));
    if (/ended without|finish reason/i.test(said)) return { reason: 'cut', why: 'its answer ends in the middle' };
    return { reason: 'garbled', why: 'what it answers cannot be understood' };
  }
  if (typeof name === 'string' && /^AI_/.test(name) && name !== 'AI_APICallError')
    return { reason: 'bad_request', why: `this cannot be said to it: ${clean(messageOf(error))}` };
  if (isSaid(error)) return failureOfSaid(error, clean);
  if (name === 'AI_APICallError' || error instanceof Error)
    return { reason: 'unreachable', why: `the connection fails: ${clean(rootOf(error))}` };
  return { reason: 'garbled', why: 'what it answers cannot be understood' };
}

/** An error that the provider told in the stream: of its own shape, not an error of the program. */
function isSaid(error: unknown): boolean {
  return typeof error === 'string' || (typeof error === 'object' && error !== null && !(error instanceof Error));
}

const STATUS_OF_WORDS: readonly (readonly [RegExp, number])[] = [
  [/overloaded|unavailable|server_error|server error|internal|api_error|capacity/i, 503],
  [/rate.?limit|too many requests|resource.?exhausted/i, 429],
  [/insufficient_quota|billing/i, 402],
  [/authentication|permission|unauthorized/i, 401],
];

function failureOfSaid(error: unknown, clean: Clean): Omit<ModelFailure, 'model'> {
  const text = typeof error === 'string' ? error : JSON.stringify(error).slice(0, 8_192);
  const said = clean(messageOf(error));
  const given = [fieldOf(error, 'statusCode'), fieldOf(error, 'code'), fieldOf(error, 'status')]
    .map(Number)
    .find((code) => code >= 400 && code < 600);
  const status = given ?? STATUS_OF_WORDS.find(([words]) => words.test(text))?.[1] ?? 400;
  return { reason: reasonOf(status, text), why: `it breaks off: ${said}`, details: { status } };
}

function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  for (const each of [error, fieldOf(error, 'error'), fieldOf(error, 'response')]) {
    const message = fieldOf(each, 'message') ?? fieldOf(fieldOf(each, 'error'), 'message');
    if (typeof message === 'string') return message;
  }
  return 'it does not say why';
}

/** The innermost cause: what the network said. */
function rootOf(error: unknown): string {
  let each = error;
  for (let depth = 0; depth < 8 && each instanceof Error && each.cause instanceof Error; depth++) each = each.cause;
  return each instanceof Error ? each.message : 'nobody knows why';
}

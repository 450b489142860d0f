/** `network.http_request`. */
import type { EgressResponse } from '@warren/sandbox';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { refusalError } from './refusal-error.ts';
import { responseText } from './response-text.ts';
import { webTaint } from './web-taint.ts';

type Input = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly body_encoding: 'utf-8' | 'base64';
  readonly timeout: number;
  readonly follow_redirects: boolean;
};

const REDIRECTS_MAX = 10;
/** What a model can make use of is far less; the rest belongs in a file. */
/** As base64 within what a capability may answer. */
const BODY_BYTES_MAX = 720 * 1024;

export async function httpRequest(input: Input, context: HandlerContext): Promise<HandlerResult> {
  const startedAt = performance.now();
  const body = bodyBytes(input);
  let response: EgressResponse | undefined;
  try {
    response = await context.egress.fetch(
      { hosts: context.hosts },
      {
        url: input.url,
        method: input.method,
        headers: input.headers,
        body,
        deadlineMs: input.timeout * 1_000,
        redirectsMax: input.follow_redirects ? REDIRECTS_MAX : 0,
        bodyBytesMax: BODY_BYTES_MAX,
      },
      context.signal,
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const text = responseText(Buffer.concat(chunks), response.headers['content-type']);
    return {
      output: {
        status_code: response.status,
        headers: response.headers,
        ...text,
        duration_ms: Math.round(performance.now() - startedAt),
        url: response.url,
        redirects: response.redirects,
      },
      usage: { net_bytes: response.bytes() },
      taint: webTaint(response.url),
    };
  } catch (error) {
    throw refusalError(error, 'RequestFailed', { too_large: 'ResponseTooLarge' }, { url: input.url });
  } finally {
    response?.dispose();
  }
}

function bodyBytes({ method, body, body_encoding: encoding }: Input): Uint8Array | undefined {
  if (body === undefined || body === '') return undefined;
  if (method === 'GET' || method === 'HEAD') {
    throw new CapabilityError('InvalidMethod', `Cannot send a body with ${method}: a ${method} has none`, { context: { method } });
  }
  if (encoding === 'utf-8') {
    if (body.isWellFormed()) return Buffer.from(body);
    throw invalidBody('it holds half a character');
  }
  // Buffer.from skips what is not base64, which would send something nobody gave.
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(body) && body.length % 4 === 0) return Buffer.from(body, 'base64');
  throw invalidBody('it is not base64');
}

function invalidBody(why: string): CapabilityError {
  return new CapabilityError('InvalidInput', `Cannot send the body: ${why}`, { context: { field: 'body' } });
}

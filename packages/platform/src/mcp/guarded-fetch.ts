/** `fetch` through the egress guard, for a library that brings its own idea of HTTP: every request, also those that sign in, goes only where the rules let it. */
import type { Egress, EgressResponse, EgressRules } from '@warren/sandbox';
import { MCP_LIMITS } from './mcp-limits.ts';

export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Redirects are handed out, never followed. `signal` ends every request. */
export function createGuardedFetch(egress: Egress, rules: EgressRules, signal: AbortSignal): GuardedFetch {
  return async (url, init = {}) => {
    const ending = AbortSignal.any([signal, ...(init.signal == null ? [] : [init.signal])]);
    const headers = new Headers(init.headers);
    const body = bodyOf(init.body, headers);
    const answer = await egress.fetch(
      rules,
      {
        url: String(url),
        method: init.method ?? 'GET',
        headers: Object.fromEntries(headers),
        ...(body !== undefined && { body }),
        redirectsMax: 0,
        deadlineMs: MCP_LIMITS.streamMsMax,
        bodyBytesMax: MCP_LIMITS.answerBytesMax,
      },
      ending,
    );
    return responseOf(answer);
  };
}

function bodyOf(body: RequestInit['body'], headers: Headers): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof URLSearchParams) {
    if (!headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
    return Buffer.from(body.toString());
  }
  if (body instanceof Uint8Array) return body;
  throw new Error('A body is neither text nor bytes');
}

function responseOf({ status, headers, body, dispose }: EgressResponse): Response {
  const shown = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of name === 'set-cookie' ? value.split('\n') : [value]) shown.append(name, each);
  shown.delete('content-encoding'); // It is decompressed.
  shown.delete('content-length');
  if (WITHOUT_BODY.has(status)) {
    dispose();
    return new Response(null, { status, headers: shown });
  }
  const chunks = body[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        dispose();
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { status, headers: shown });
}

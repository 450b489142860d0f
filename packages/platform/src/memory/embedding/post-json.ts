/** One request of JSON and its answer, within bounds: of time, of bytes, to no other address than the one that was named. */
export type JsonAnswer = {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
  readonly text: string;
  readonly retryAfter: string | undefined;
};

export type PostOptions = {
  readonly headers: Readonly<Record<string, string>>;
  readonly answerBytesMax: number;
};

/** What came was more than `answerBytesMax`. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Throws what `fetch` throws, `AnswerTooLarge`, and what `signal` was fired with. A redirect is an error: a key goes where the operator said. */
export async function postJson(
  url: string,
  body: unknown,
  { headers, answerBytesMax }: PostOptions,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  const text = await readText(response, answerBytesMax);
  return { status: response.status, json: parse(text), text, retryAfter: response.headers.get('retry-after') ?? undefined };
}

/** Leaving the loop early closes the connection. */
async function readText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new AnswerTooLarge(`The answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever asked says what that means.
  }
}

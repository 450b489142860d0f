/** A request to an issuer: to its own hosts, followed nowhere else, and bounded in time and in what is read of the answer. */
import { Fault } from '@warren/protocol';

const ANSWER_BYTES_MAX = 262_144;

export type IssuerRequest = {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** `status`: of the answer; `document`: an object, whatever it says. Throws `unavailable`. */
export type IssuerAnswer = { readonly status: number; readonly document: Readonly<Record<string, unknown>> };

export async function askIssuer(name: string, url: string, request: IssuerRequest, signal: AbortSignal): Promise<IssuerAnswer> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      ...{ method: request.method ?? 'GET', redirect: 'error', cache: 'no-store', signal },
      headers: { accept: 'application/json', ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
    });
    const document: unknown = JSON.parse(await readText(response));
    if (typeof document !== 'object' || document === null || Array.isArray(document)) throw new Error('it answers with no object');
    return { status: response.status, document: document as IssuerAnswer['document'] }; // Checked here.
  } catch (error) {
    throw unreachable(name, `${host} ${whyOf(error, signal)}`, error);
  }
}

export function unreachable(name: string, why: string, cause?: unknown): Fault {
  return new Fault('unavailable', `Cannot sign in through ${name}: ${why}`, { cause, details: { provider: name } });
}

async function readText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function whyOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'does not answer in time';
  if (error instanceof SyntaxError) return 'answers with no JSON';
  return error instanceof Error && error.message.startsWith('its answer')
    ? 'answers with too much'
    : 'cannot be reached, or answers nothing we can use';
}

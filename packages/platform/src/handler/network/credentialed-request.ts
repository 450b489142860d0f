/**
 * `network.credentialed_request`. The secret is had for this host and this capability and for nothing else, put into the request here, and taken out of whatever comes back. Redirects are not followed: a
 * server could put the secret, which it was sent, into the address it leads to.
 */
import { createTextRedactor } from '@warren/kernel';
import { isFault, type JsonObject, type WorkspaceId } from '@warren/protocol';
import type { EgressResponse } from '@warren/sandbox';
import { CapabilityError, type Handler, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { requestTo } from '../../vault/configured-secret.ts';
import type { Secrets, SecretValue } from '../../vault/secrets.ts';
import { secretNotFound, vaultError } from '../secrets/secret-errors.ts';
import { type Placement, placeCredential } from './place-credential.ts';
import { refusalError } from './refusal-error.ts';
import { responseText } from './response-text.ts';
import { webTaint } from './web-taint.ts';

export const CREDENTIALED_REQUEST = 'network.credentialed_request';

type Input = {
  readonly url: string;
  readonly secret_name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeout: number;
  readonly credential_placement: Placement;
};

type Redact = (text: string) => string;

/** As base64 within what a capability may answer. */
const BODY_BYTES_MAX = 720 * 1024;
/** What the redactor looks for by itself. */
const KNOWN_CHARACTERS_MIN = 6;

export function createCredentialedRequest(secrets: (workspace: WorkspaceId) => Secrets): Handler {
  return async (input, context) => await send(input as unknown as Input, context, secrets(context.actor.workspace)); // The definition says this type.
}

async function send(input: Input, context: HandlerContext, secrets: Secrets): Promise<HandlerResult> {
  const startedAt = performance.now();
  using value = await have(input, secrets);
  const secret = textOf(value);
  const redact = redactorOf(input.secret_name, secret);
  let response: EgressResponse | undefined;
  try {
    const placed = placeCredential({ ...input, body: bodyOf(input) }, input.credential_placement, secret);
    response = await context.egress.fetch(
      { hosts: context.hosts },
      {
        ...{ url: placed.url, method: placed.method, headers: placed.headers, redirectsMax: 0 },
        body: placed.body === undefined ? undefined : Buffer.from(placed.body),
        ...{ deadlineMs: input.timeout * 1_000, bodyBytesMax: BODY_BYTES_MAX },
      },
      context.signal,
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const { body, body_encoding: encoding } = responseText(Buffer.concat(chunks), response.headers['content-type']);
    return {
      output: {
        status_code: response.status,
        headers: Object.fromEntries(Object.entries(response.headers).map(([name, text]) => [redact(name), redact(text)])),
        ...{ body: redact(body), body_encoding: encoding },
        duration_ms: Math.round(performance.now() - startedAt),
      },
      usage: { net_bytes: response.bytes() },
      taint: webTaint(input.url),
    };
  } catch (error) {
    throw redacted(refusalError(error, 'RequestFailed', { too_large: 'ResponseTooLarge' }, { url: input.url }), redact);
  } finally {
    response?.dispose();
  }
}

async function have({ url, secret_name: name }: Input, secrets: Secrets): Promise<SecretValue> {
  try {
    const value = await secrets.use(name, requestTo(url, CREDENTIALED_REQUEST)); // It was parsed and written by us.
    if (value !== undefined) return value;
  } catch (error) {
    throw isFault(error, 'vault_locked') ? vaultError(error) : error;
  }
  throw secretNotFound(name);
}

function textOf({ bytes }: SecretValue): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CapabilityError('InvalidInput', 'Cannot send the request with the secret: its value is no text', {
      context: { field: 'secret_name' },
    });
  }
}

function bodyOf({ method, body }: Input): string | undefined {
  if (body === undefined || body === '') return undefined;
  if (method === 'GET' || method === 'HEAD')
    throw new CapabilityError('InvalidMethod', `Cannot send a body with ${method}: a ${method} has none`, { context: { method } });
  if (body.isWellFormed()) return body;
  throw new CapabilityError('InvalidInput', 'Cannot send the body: it holds half a character', { context: { field: 'body' } });
}

/** Short ones are taken out too, at the price of harmless text that looks the same. */
function redactorOf(name: string, secret: string): Redact {
  if (secret.length >= KNOWN_CHARACTERS_MIN) return createTextRedactor([{ name, value: secret }]);
  return (text) => text.replaceAll(secret, () => `[redacted:${name}]`);
}

function redacted(error: unknown, redact: Redact): unknown {
  if (!(error instanceof CapabilityError)) return error;
  const { type, message, context, usage } = error;
  const cleaned = context === undefined ? undefined : (JSON.parse(redact(JSON.stringify(context))) as JsonObject); // Of an object.
  return new CapabilityError(type, redact(message), { context: cleaned, usage });
}

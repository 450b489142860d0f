/** A hook that is a webhook: told by a signed `POST`, through the egress guard; its answer is the body. */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '@warren/protocol';
import type { Egress } from '@warren/sandbox';
import { readSecrets } from '../mcp/read-secrets.ts';
import { sign } from '../notify/webhook-target.ts';
import { ANSWER_BYTES_MAX, readAnswer } from './hook-document.ts';
import type { WebhookHook } from './hook-file-format.ts';

export type HookWebhookParts = { readonly egress: Egress; readonly now: () => number };

/** Rejects with why it failed, in words. Redirects are not followed: a signed request goes where the operator said. */
export async function postHookWebhook(
  { egress, now }: HookWebhookParts,
  hook: WebhookHook,
  told: JsonObject,
  signal: AbortSignal,
): Promise<unknown> {
  const { secret = '' } = await readSecrets({ secret: hook.secret_file }, `run hook ${hook.name}`);
  if (secret === '') throw new Error(`the file ${hook.secret_file} is empty`);
  const { hostname, protocol, port } = new URL(hook.webhook);
  const body = JSON.stringify(told);
  const response = await egress.fetch(
    { hosts: [`${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`] },
    {
      url: hook.webhook,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'warren-delivery': randomUUID(), 'warren-signature': sign(secret, now(), body) },
      body: Buffer.from(body),
      redirectsMax: 0,
      deadlineMs: hook.timeout,
      bodyBytesMax: ANSWER_BYTES_MAX,
    },
    signal,
  );
  try {
    if (response.status < 200 || response.status > 299) throw new Error(`${hostname} answers ${response.status}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return readAnswer(Buffer.concat(chunks));
  } finally {
    response.dispose();
  }
}

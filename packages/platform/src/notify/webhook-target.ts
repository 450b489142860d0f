/**
 * Notices as signed HTTP requests: `POST` of JSON, with `warren-delivery: <id>` and `warren-signature: t=<seconds>,v1=<HMAC-SHA256 of "t.body" in
 * hexadecimal>`. Who receives one recomputes the signature with the shared key, and refuses old times.
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WebhookConfig } from '../config/config-format.ts';
import { type ConfiguredSecret, requestTo } from '../vault/configured-secret.ts';
import { type Notice, titleOf } from './notice.ts';
import { NoticeRefused, type Target } from './target.ts';

const DEADLINE_MS = 10_000;
const ANSWER_BYTES_MAX = 65_536;

export type WebhookParts = { readonly now: () => number; readonly secretOf?: ConfiguredSecret | undefined };

/** What its secret is bound to. */
export const WEBHOOK_CAPABILITY = 'notify.webhook';

export function createWebhookTarget({ name, url, notices, ...config }: WebhookConfig, { now, secretOf }: WebhookParts): Target {
  return {
    name: `webhook-${name}`,
    kinds: notices,
    async deliver(notice, signal) {
      const secret = await keyOf(url, config, secretOf); // Anew each time: it may be rotated.
      const body = JSON.stringify(toDocument(notice));
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'error', // A signed request goes where the operator said.
        headers: { 'content-type': 'application/json', 'warren-delivery': notice.id, 'warren-signature': sign(secret, now(), body) },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      });
      await drain(response);
      if (response.ok) return;
      const message = `${new URL(url).host} answered ${response.status}`;
      throw isRefusal(response.status) ? new NoticeRefused(message) : new Error(message);
    },
  };
}

async function keyOf(
  url: string,
  { secret, secret_file: file = '' }: Pick<WebhookConfig, 'secret' | 'secret_file'>,
  secretOf: ConfiguredSecret | undefined,
): Promise<string> {
  if (secret !== undefined && secretOf === undefined) throw new Error('There is no vault here');
  const key =
    secret === undefined || secretOf === undefined
      ? (await readFile(file, 'utf8')).trim()
      : await secretOf(secret, requestTo(url, WEBHOOK_CAPABILITY));
  if (key === '') throw new Error(secret === undefined ? `The file ${file} is empty` : `Secret ${secret} is empty`);
  return key;
}

/** Of this request, unlike of one that came too late or too soon. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

export function sign(secret: string, now: number, body: string): string {
  const seconds = Math.floor(now / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

function toDocument(notice: Notice) {
  const { id, kind, workspace, at, pid, data } = notice;
  return { id, kind, title: titleOf(notice), workspace, at: at / 1_000, pid: pid ?? null, data };
}

/** Frees the connection without believing in the length of the answer. */
async function drain(response: Response): Promise<void> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) return;
  }
}

/**
 * Notices as signed HTTP requests: `POST` of JSON, with `warren-delivery: <id>` and `warren-signature: t=<seconds>,v1=<HMAC-SHA256 of "t.body" in
 * hexadecimal>`. Who receives one recomputes the signature with the shared key, and refuses old times.
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WebhookConfig } from '../config/config-format.ts';
import { type Notice, titleOf } from './notice.ts';
import { NoticeRefused, type Target } from './target.ts';

const DEADLINE_MS = 10_000;
const ANSWER_BYTES_MAX = 65_536;

export type WebhookParts = { readonly now: () => number };

export function createWebhookTarget({ name, url, secret_file: secretFile, notices }: WebhookConfig, { now }: WebhookParts): Target {
  return {
    name: `webhook-${name}`,
    kinds: notices,
    async deliver(notice, signal) {
      const secret = (await readFile(secretFile, 'utf8')).trim(); // Anew each time: it may be rotated.
      if (secret === '') throw new Error(`The file ${secretFile} is empty`);
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

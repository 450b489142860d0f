/** What a caller hands in as a letter, once it is known to be one. */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkPayload, checkWord } from '../internal/payload.ts';
import type { NewMessage } from '../store/tables/mail-table.ts';
import { checkLabels } from '../taint/labels.ts';
import { checkNumber } from './check-number.ts';
import { PRIORITY } from './limits.ts';
import type { Letter } from './mail.ts';

export type CheckedLetter = Pick<NewMessage, 'kind' | 'text' | 'priority' | 'expiresAt' | 'correlationId' | 'labels'> & {
  readonly bytes: number;
  readonly dedupeKey: string | undefined;
};

/** Throws `mail_invalid` with the field, or `too_large`. */
export function checkLetter({ kind, payload = {}, priority, expiresAt, dedupeKey, correlationId, labels }: Letter): CheckedLetter {
  checkWord(kind, 'kind', 'mail_invalid');
  if (dedupeKey !== undefined) checkWord(dedupeKey, 'dedupe_key', 'mail_invalid');
  if (correlationId !== undefined) checkWord(correlationId, 'correlation_id', 'mail_invalid');
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt > 0)) {
    throw new Fault('mail_invalid', 'Cannot use expires_at: it is no time', { details: { field: 'expires_at' } });
  }
  const text = JSON.stringify(checkPayload(payload, 'payload', 'mail_invalid'));
  const bytes = Buffer.byteLength(text);
  return {
    kind,
    text,
    bytes,
    priority: checkNumber(priority, PRIORITY, 'priority'),
    expiresAt,
    dedupeKey,
    correlationId,
    labels: labels && checkLabels(labels, 'labels'),
  };
}

/** What events tell of a letter that is not as most are. */
export function termsPayload({ priority, expiresAt }: CheckedLetter): JsonObject {
  return { ...(priority === PRIORITY.default ? {} : { priority }), ...(expiresAt === undefined ? {} : { expires_at: expiresAt }) };
}

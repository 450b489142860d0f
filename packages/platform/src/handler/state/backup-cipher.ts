/**
 * Backups are files of the workspace, which whoever owns them or was granted their path can read, and which can be taken away; so they are encrypted. Each record stands alone
 * (length, nonce, tag, AES-256-GCM) and is bound to its backup and its place, and the last says that it is the last: records that are changed, missing, in
 * another order or of another backup are refused.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { JsonValue } from '@warren/protocol';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 4 + NONCE_BYTES + TAG_BYTES;
/** A value of 1 MiB with its key, and names of agents that may use it. */
const RECORD_BYTES_MAX = 4_194_304;
const LAST = 'last';

export type BackupKey = { readonly key: Uint8Array; readonly backupId: string };

/** What is encrypted with another key, damaged or cut off. */
export class UnreadableBackup extends Error {
  override readonly name = 'UnreadableBackup';
}

export async function* encryptRecords(records: AsyncIterable<JsonValue>, key: BackupKey): AsyncGenerator<Uint8Array> {
  let index = 0;
  for await (const record of records) yield encrypt(JSON.stringify(record), key, `${index++}`);
  yield encrypt(`${index}`, key, LAST);
}

/** Throws `UnreadableBackup`, after the records before the bad one. */
export async function* decryptRecords(chunks: AsyncIterable<Uint8Array>, key: BackupKey): AsyncGenerator<JsonValue> {
  let held: Buffer | undefined;
  let index = 0;
  for await (const record of split(chunks)) {
    if (held !== undefined) yield JSON.parse(decrypt(held, key, `${index++}`)) as JsonValue; // `encryptRecords` wrote it.
    held = record;
  }
  if (held === undefined || decrypt(held, key, LAST) !== `${index}`)
    throw new UnreadableBackup('Cannot read the backup: its end is missing');
}

async function* split(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.byteLength >= 4) {
      const length = rest.readUInt32BE();
      if (length < HEAD_BYTES || length > RECORD_BYTES_MAX) throw new UnreadableBackup('Cannot read the backup: it is damaged');
      if (rest.byteLength < length) break;
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }
  if (rest.byteLength > 0) throw new UnreadableBackup('Cannot read the backup: it is cut off');
}

function encrypt(text: string, { key, backupId }: BackupKey, place: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(`${backupId}:${place}`));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(HEAD_BYTES + body.byteLength);
  return Buffer.concat([length, nonce, cipher.getAuthTag(), body]);
}

function decrypt(record: Buffer, { key, backupId }: BackupKey, place: string): string {
  const nonce = record.subarray(4, 4 + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(`${backupId}:${place}`));
  decipher.setAuthTag(record.subarray(4 + NONCE_BYTES, HEAD_BYTES));
  try {
    return Buffer.concat([decipher.update(record.subarray(HEAD_BYTES)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new UnreadableBackup('Cannot read the backup: it was made with another key or is damaged', { cause: error });
  }
}

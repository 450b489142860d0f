/**
 * Reads what an earlier system kept as `credentials.enc.json`: for each skill one encrypted table of variables. It says nothing of a passphrase that is wrong, and takes a damaged file for an empty one;
 * here each is told apart. Nothing of it is changed.
 */
import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '@warren/protocol';
import { z } from 'zod';

const BYTES_MAX = 16_777_216;
const SKILLS_MAX = 10_000;
const ITERATIONS = 100_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;

const bytes = z.base64().transform((text): Buffer => Buffer.from(text, 'base64'));
const file = z.object({ version: z.literal(1), credentials: z.record(z.string(), z.unknown()) });
const entry = z.object({ salt: bytes, iv: bytes, tag: bytes, ciphertext: bytes });
const variables = z.record(z.string(), z.string());

const stretch = promisify(pbkdf2);

export type ImportedEntry =
  | { readonly kind: 'read'; readonly skill: string; readonly values: Readonly<Record<string, string>> }
  /** `sealed`: it cannot be opened with this passphrase, or was changed. `malformed`: no passphrase would open it. */
  | { readonly kind: 'damaged'; readonly skill: string; readonly why: 'sealed' | 'malformed' };

/**
 * In the order of the file. Faults: `invalid_argument` (it is no such file), `too_large`, `permission_denied` (the passphrase opens none of what is whole, so it is the wrong one).
 */
export async function readEarlierCredentials(
  content: Uint8Array,
  passphrase: string,
  signal?: AbortSignal,
): Promise<readonly ImportedEntry[]> {
  const entries: ImportedEntry[] = [];
  for (const [skill, sealed] of Object.entries(parse(content))) {
    signal?.throwIfAborted();
    entries.push(await readEntry(skill, sealed, passphrase));
  }
  const isWrong =
    entries.some((each) => each.kind === 'damaged' && each.why === 'sealed') && entries.every(({ kind }) => kind === 'damaged');
  if (isWrong)
    throw new Fault('permission_denied', 'Cannot read the credentials: the passphrase opens none of them, so it is not the right one');
  return entries;
}

function parse(content: Uint8Array): Readonly<Record<string, unknown>> {
  if (content.byteLength > BYTES_MAX)
    throw new Fault('too_large', `Cannot read the credentials: the file has more than ${BYTES_MAX} bytes`);
  const parsed = file.safeParse(parseJson(Buffer.from(content).toString('utf8')));
  if (!parsed.success)
    throw new Fault('invalid_argument', 'Cannot read the credentials: it is no file of version 1, as {"version":1,"credentials":{…}}');
  const count = Object.keys(parsed.data.credentials).length;
  if (count > SKILLS_MAX)
    throw new Fault('too_large', `Cannot read the credentials: they are of ${count} skills, the limit is ${SKILLS_MAX}`);
  return parsed.data.credentials;
}

async function readEntry(skill: string, sealed: unknown, passphrase: string): Promise<ImportedEntry> {
  const parsed = entry.safeParse(sealed);
  if (!parsed.success || parsed.data.tag.length !== TAG_BYTES || parsed.data.iv.length === 0)
    return { kind: 'damaged', skill, why: 'malformed' };
  const { salt, iv, tag, ciphertext } = parsed.data;
  const key = await stretch(passphrase, salt, ITERATIONS, KEY_BYTES, 'sha512');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(tag);
    const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    try {
      const values = variables.safeParse(parseJson(plain.toString('utf8')));
      return values.success ? { kind: 'read', skill, values: values.data } : { kind: 'damaged', skill, why: 'malformed' };
    } finally {
      plain.fill(0);
    }
  } catch {
    return { kind: 'damaged', skill, why: 'sealed' }; // Which of the two it is, only the others can say.
  } finally {
    key.fill(0);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says that it is none.
  }
}

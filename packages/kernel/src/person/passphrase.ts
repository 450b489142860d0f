/**
 * Passphrases as Argon2id hashes in the PHC form, which carries its own parameters: they can be raised, and what was hashed before still verifies.
 * Source: RFC 9106, the second recommended choice.
 */
import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const PARAMETERS = { memoryKib: 65_536, passes: 3, parallelism: 4 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const FORM = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

const hashWith = promisify(argon2);

export async function hashPassphrase(passphrase: string, random: (length: number) => Uint8Array): Promise<string> {
  const salt = Buffer.from(random(SALT_BYTES));
  const tag = await derive(passphrase, salt, PARAMETERS);
  const { memoryKib, passes, parallelism } = PARAMETERS;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Throws when `hash` is none of ours. */
export async function isPassphrase(passphrase: string, hash: string): Promise<boolean> {
  const [, memoryKib, passes, parallelism, salt = '', tag = ''] = FORM.exec(hash) ?? [];
  if (memoryKib === undefined) throw new Error('A passphrase is kept in an unknown form');
  const parameters = { memoryKib: Number(memoryKib), passes: Number(passes), parallelism: Number(parallelism) };
  return timingSafeEqual(await derive(passphrase, Buffer.from(salt, 'base64'), parameters), Buffer.from(tag, 'base64'));
}

async function derive(
  passphrase: string,
  nonce: Buffer,
  { memoryKib, passes, parallelism }: { readonly memoryKib: number; readonly passes: number; readonly parallelism: number },
): Promise<Buffer> {
  // The same characters, however the keyboard made them.
  const message = Buffer.from(passphrase.normalize('NFKC'));
  return await hashWith('argon2id', { message, nonce, parallelism, tagLength: TAG_BYTES, memory: memoryKib, passes });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

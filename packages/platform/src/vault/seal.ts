/**
 * AES-256-GCM over bytes, with what they are as associated data: what was sealed as one thing cannot be opened as another. A sealed value is nonce, tag and ciphertext.
 * Nonces are random, so a key is for far fewer than 2^32 values (NIST SP 800-38D, 8.3); a data key is for those of one workspace.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = NONCE_BYTES + TAG_BYTES;
const LENGTH_BYTES = 4;

export function seal(key: KeyObject, plain: Uint8Array, about: readonly string[]): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(encode(about));
  const body = cipher.update(plain);
  cipher.final(); // Gives nothing in this mode, and makes the tag.
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** Undefined when it was sealed with another key or as something else, or was changed. */
export function unseal(key: KeyObject, sealed: Uint8Array, about: readonly string[]): Buffer | undefined {
  if (sealed.byteLength < HEAD_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(encode(about));
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, HEAD_BYTES));
  const plain = decipher.update(sealed.subarray(HEAD_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    plain.fill(0); // Whatever it is, nobody vouches for it.
    return undefined;
  }
}

/** Each part behind its length, so that no two lists are the same bytes. */
function encode(parts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + LENGTH_BYTES + Buffer.byteLength(part), 0)); // All of it is written.
  let at = 0;
  for (const part of parts) {
    const length = bytes.write(part, at + LENGTH_BYTES);
    bytes.writeUInt32BE(length, at);
    at += LENGTH_BYTES + length;
  }
  return bytes;
}

/**
 * What is wanted again later travels through the client, which must not read, change or make it, nor use it for anything but the same request of the same caller. So it is encrypted and authenticated (AES-256-GCM) together with who asked and for what. The key lives as long as the process.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { JsonObject, JsonValue } from '@warren/protocol';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const STATE_BYTES_MAX = 16_384;
const PATTERN = /^[A-Za-z0-9_-]+$/;

/** Whose request it was, and which. */
export type StateOwner = { readonly caller: string; readonly method: string; readonly subject: JsonValue; readonly args: JsonValue };

export class SealedStates {
  readonly #key = randomBytes(KEY_BYTES);
  readonly #lifeMs: number;
  readonly #now: () => number;

  constructor(lifeMs: number, now: () => number = () => performance.now()) {
    this.#lifeMs = lifeMs;
    this.#now = now;
  }

  seal(state: JsonValue, owner: StateOwner): string {
    const text = Buffer.from(JSON.stringify({ state, until: this.#now() + this.#lifeMs }));
    if (text.length > STATE_BYTES_MAX) throw new Error(`A state to seal has ${text.length} bytes`);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(bind(owner));
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined for anything but what `seal` gave the same owner not too long ago: of what was wrong with it nothing is said. */
  open(sealed: JsonValue, owner: StateOwner): JsonValue | undefined {
    if (typeof sealed !== 'string' || sealed.length > STATE_BYTES_MAX * 2 || !PATTERN.test(sealed)) return undefined;
    const bytes = Buffer.from(sealed, 'base64url');
    // There is one way to write it: what decodes to the same bytes was changed, too.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== sealed) return undefined;
    const { state = null, until } = this.#decrypt(bytes, owner) ?? {};
    return typeof until === 'number' && this.#now() <= until ? state : undefined;
  }

  #decrypt(bytes: Buffer, owner: StateOwner): JsonObject | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(bind(owner)).setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
      return JSON.parse(text) as JsonObject; // `seal` wrote it.
    } catch {
      return undefined; // It is another's, or was changed.
    }
  }
}

function bind({ caller, method, subject, args }: StateOwner): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([caller, method, subject, inOrder(args)]))
    .digest();
}

/** The same arguments, in whatever order a client writes them. */
function inOrder(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(inOrder);
  const sorted = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([name, inner]) => [name, inOrder(inner)]);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

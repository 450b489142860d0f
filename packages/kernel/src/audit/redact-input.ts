/**
 * Takes secrets out of what is to be recorded: by the names of fields, by values that are known, and by forms that are well known. Whatever it is given, the result is
 * JSON of bounded size and depth, and the time is linear in what is looked at.
 *
 * It is a net under the vault, which hands out no secrets in the first place: an unknown secret in an unknown form under a harmless name passes.
 */
import type { JsonObject, JsonValue } from '../internal/json.ts';
import { createTextRedactor } from '../redact/redact-text.ts';
import type { KnownSecret } from '../redact/secret-needles.ts';

export type RedactOptions = {
  /** Names of fields on top of the usual ones. */
  readonly secretFields?: readonly string[] | undefined;
  /** Values in clear; found in whichever encoding. Those of fewer than 6 bytes are not looked for. */
  readonly knownSecrets?: readonly KnownSecret[] | undefined;
  /** Of texts, before anything else: for what knows more values. */
  readonly redact?: ((text: string) => string) | undefined;
};

const SECRET_FIELDS = [
  'api_key',
  'token',
  'password',
  'passwd',
  'secret',
  'credential',
  'credentials',
  'authorization',
  'private_key',
  'access_key',
  'refresh_token',
  'client_secret',
  'passphrase',
  'cookie',
];

/** What may follow such a name without making it another thing. */
const SUFFIX = /^(?:value|text|base64|b64|hex|pem|key|header|[0-9]+)$/;

export const REDACTED_BYTES_MAX = 65_536;
const TEXT_CHARACTERS_MAX = 8_192;
const NAME_CHARACTERS_MAX = 256;
const DEPTH_MAX = 32;
/** Values of all depths, and what each costs besides its text. */
const VALUES_MAX = 4_000;
const VALUE_BYTES = 8;

/** A function that is made once for many inputs: preparing known secrets takes longer than looking for them. */
export function createRedactor({ secretFields = [], knownSecrets = [], redact }: RedactOptions = {}): (value: unknown) => JsonValue {
  const fields = [...SECRET_FIELDS, ...secretFields].map(plain).filter((name) => name !== '');
  const own = createTextRedactor(knownSecrets);
  const redactText = redact === undefined ? own : (text: string): string => own(redact(text));
  return (value) => new Redaction(fields, redactText).value(value, 0);
}

export function redactInput(value: unknown, options: RedactOptions = {}): JsonValue {
  return createRedactor(options)(value);
}

class Redaction {
  readonly #fields: readonly string[];
  readonly #redactText: (text: string) => string;
  #bytesLeft = REDACTED_BYTES_MAX;
  #valuesLeft = VALUES_MAX;

  constructor(fields: readonly string[], redactText: (text: string) => string) {
    this.#fields = fields;
    this.#redactText = redactText;
  }

  value(value: unknown, depth: number): JsonValue {
    this.#bytesLeft -= VALUE_BYTES;
    this.#valuesLeft -= 1;
    switch (typeof value) {
      case 'string':
        return this.#text(value, TEXT_CHARACTERS_MAX);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'bigint':
        return this.#text(value < 10n ** 30n && value > -(10n ** 30n) ? value.toString() : '[number]', 64);
      case 'object':
        break;
      default:
        return value === undefined ? null : `[${typeof value}]`;
    }
    if (value === null) return null;
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (depth >= DEPTH_MAX) return '[too deep]';
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth);
  }

  #list(list: readonly unknown[], depth: number): JsonValue {
    const result: JsonValue[] = [];
    for (const inner of list) {
      if (this.#isSpent()) {
        result.push(`[${list.length - result.length} more]`);
        break;
      }
      result.push(this.value(inner, depth + 1));
    }
    return result;
  }

  #object(object: object, depth: number): JsonObject {
    const result: Record<string, JsonValue> = Object.create(null); // So that `__proto__` is a name like any other.
    let count = 0;
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue;
      if (this.#isSpent()) {
        result['[more]'] = `fields after ${count} are left out`;
        break;
      }
      count += 1;
      const name = this.#text(key, NAME_CHARACTERS_MAX);
      const inner: unknown = (object as Readonly<Record<string, unknown>>)[key]; // The key was just read from it.
      const isSecret = this.#isSecret(key, inner);
      result[name] = isSecret ? `[REDACTED:${name}]` : this.value(inner, depth + 1);
      if (isSecret) this.#bytesLeft -= 2 * name.length + VALUE_BYTES;
    }
    return { ...result };
  }

  /** Redacted first and cut then: half a secret is one too. What is looked at is bounded before. */
  #text(text: string, charactersMax: number): string {
    const room = Math.max(0, Math.min(charactersMax, Math.floor(this.#bytesLeft / 4)));
    const looked = text.length > 4 * charactersMax ? text.slice(0, 4 * charactersMax) : text;
    const redacted = this.#redactText(looked.toWellFormed());
    const isCut = redacted.length > room || looked.length < text.length;
    const result = isCut ? `${redacted.slice(0, room).toWellFormed()}[cut: ${text.length} characters]` : redacted;
    this.#bytesLeft -= Buffer.byteLength(result);
    return result;
  }

  #isSpent(): boolean {
    return this.#bytesLeft <= 512 || this.#valuesLeft <= 0;
  }

  /** `githubToken`, `X-API-Key` and `PASSWORD_1` are; of `max_tokens` the number is not. */
  #isSecret(key: string, value: unknown): boolean {
    if (value === null || value === undefined || value === '') return false;
    if (key.length > NAME_CHARACTERS_MAX) return true; // No name that anybody gave a field; it is not looked through either.
    const name = plain(key);
    if (name.endsWith('tokens') && typeof value === 'number') return false;
    return this.#fields.some((field) => {
      if (name.endsWith(field) || name.endsWith(`${field}s`)) return true;
      return name.startsWith(field) && SUFFIX.test(name.slice(field.length));
    });
  }
}

/** Case and style do not matter. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

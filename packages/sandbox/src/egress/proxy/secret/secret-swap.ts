/** One request in which placeholders become values: asks for each, and says no in words. */
import { RequestDenied } from '../denial.ts';
import type { EgressSecrets, SecretAsked, SecretPlace } from './egress-secrets.ts';
import { placeholdersIn } from './placeholder.ts';

export type SwapRequest = Omit<SecretAsked, 'placeholder' | 'place'>;

/** A value as bytes, as it stands in its place. */
export type Written = (value: Uint8Array) => Uint8Array;

const VALUE_BYTES_MAX = 65_536;
/** In one request. */
const PLACEHOLDERS_MAX = 32;

export class SecretSwap implements Disposable {
  /** Whether a value was put in. */
  hasSwapped = false;
  readonly #secrets: EgressSecrets;
  readonly #request: SwapRequest;
  readonly #signal: AbortSignal;
  /** To be overwritten. */
  readonly #values: Uint8Array[] = [];

  constructor(secrets: EgressSecrets, request: SwapRequest, signal: AbortSignal) {
    this.#secrets = secrets;
    this.#request = request;
    this.#signal = signal;
  }

  /** The text with each placeholder replaced, as Latin-1. Throws `RequestDenied`. */
  async swap(text: string, place: SecretPlace, write: Written): Promise<string> {
    let swapped = text;
    for (const placeholder of placeholdersIn(text)) {
      const value = await this.#valueOf(placeholder, place);
      swapped = swapped.replaceAll(placeholder, () => Buffer.from(write(value)).toString('latin1'));
    }
    return swapped;
  }

  /** Throws when there is a placeholder where none may be. */
  refuseIn(text: string, where: string): void {
    const [found] = placeholdersIn(text);
    if (found !== undefined) throw this.misplaced(where);
  }

  misplaced(why: string): RequestDenied {
    const { host } = this.#request;
    return new RequestDenied('secret_misplaced', host, `Cannot put a secret into this request to ${host}: ${why}`);
  }

  async #valueOf(placeholder: string, place: SecretPlace): Promise<Uint8Array> {
    const { host, scheme } = this.#request;
    if (scheme === 'http' && this.#secrets.isPlainAllowed !== true)
      throw this.misplaced('it goes out as plain HTTP, which everybody on the way can read; use https');
    if (this.#values.length >= PLACEHOLDERS_MAX) throw this.misplaced(`it has more than ${PLACEHOLDERS_MAX} placeholders`);
    const answer = await this.#secrets.substitute({ ...this.#request, placeholder, place }, this.#signal);
    this.#signal.throwIfAborted();
    switch (answer.kind) {
      case 'value': {
        this.#values.push(answer.value);
        if (answer.value.byteLength < 1 || answer.value.byteLength > VALUE_BYTES_MAX)
          throw this.misplaced(`its value has ${answer.value.byteLength} bytes, and 1 to ${VALUE_BYTES_MAX} can be sent`);
        this.hasSwapped = true;
        return answer.value;
      }
      case 'not_bound':
        throw new RequestDenied(
          'secret_not_bound',
          host,
          `Cannot put a secret into this request to ${host}: there is none of this placeholder that may be used for ${host}`,
        );
      case 'misplaced':
        throw this.misplaced(answer.where);
      default:
        answer satisfies never;
        throw new Error('A secret was answered for in no known way');
    }
  }

  /** Strings that were made of values cannot be overwritten. */
  [Symbol.dispose](): void {
    for (const value of this.#values) value.fill(0);
  }
}

/**
 * The search of an answer that comes while values go out: each redactor that is new is a layer behind those that there are. They go on, since they may hold back half
 * of a value that they know; what they let out goes through it, and so does all that comes from then on.
 */
import { EgressRefusal } from '../../egress.ts';
import type { AnswerRedactor, EgressSecrets } from './egress-secrets.ts';

/** Each holds some of the answer back. */
const LAYERS_MAX = 8;
const NOTHING = new Uint8Array(0);

export class AnswerSearch {
  readonly #secrets: Pick<EgressSecrets, 'redactor'>;
  readonly #host: string;
  readonly #layers: ReturnType<AnswerRedactor['stream']>[] = [];
  #newest: AnswerRedactor | undefined;

  constructor(secrets: Pick<EgressSecrets, 'redactor'>, host: string) {
    this.#secrets = secrets;
    this.#host = host;
  }

  /** What can be told by now. Throws `EgressRefusal` when the redactor has changed too often. */
  push(chunk: Uint8Array): Uint8Array {
    const redactor = this.#secrets.redactor();
    if (redactor !== this.#newest) {
      if (this.#layers.length >= LAYERS_MAX)
        throw new EgressRefusal(
          'protocol_error',
          this.#host,
          `Cannot read on in the answer of ${this.#host}: while it came, more secrets were used for the first time than it can be searched for`,
        );
      this.#newest = redactor;
      this.#layers.push(redactor.stream());
    }
    return this.#layers.reduce<Uint8Array>((told, layer) => layer.push(told), chunk);
  }

  /** What can be told when nothing more comes for now. What has come by then holds no value that went out later. */
  flush(): Uint8Array {
    return this.#layers.reduce<Uint8Array>((told, layer) => joined(layer.push(told), layer.flush()), NOTHING);
  }

  /** The rest. */
  end(): Uint8Array {
    return this.#layers.reduce<Uint8Array>((told, layer) => joined(layer.push(told), layer.end()), NOTHING);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.byteLength === 0) return other;
  return other.byteLength === 0 ? one : Buffer.concat([one, other]);
}

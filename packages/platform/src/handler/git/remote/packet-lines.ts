/** The lines of git's protocols: four hexadecimal digits of length, then that many bytes with the digits. 0000 to 0002 are marks without content. */
import { CapabilityError } from '../../../capability/handler.ts';

export const FLUSH = Buffer.from('0000');
export const RESPONSE_END = Buffer.from('0002');

/** Cuts a stream of bytes into lines and lets what is no line be read as it is. */
export class PacketReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** A text line without its newline; undefined at the end. */
  async textLine(lengthMax: number): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end !== -1) {
        const line = this.#rest.subarray(0, end).toString('utf8');
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > lengthMax) throw malformed('a line has no end');
      if (!(await this.#more())) return undefined;
    }
  }

  /** A packet line as it stands, marks too; undefined at the end. */
  async packet(): Promise<Buffer | undefined> {
    while (this.#rest.length < 4) {
      if (await this.#more()) continue;
      if (this.#rest.length === 0) return undefined;
      throw malformed('it ends in the middle of a line');
    }
    const digits = this.#rest.toString('latin1', 0, 4);
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw malformed('a length is no number');
    const length = Math.max(4, Number.parseInt(digits, 16));
    while (this.#rest.length < length) if (!(await this.#more())) throw malformed('it ends in the middle of a line');
    const packet = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return packet;
  }

  /** All that is left. */
  async *remaining(): AsyncGenerator<Uint8Array> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = Buffer.alloc(0);
    for (let next = await this.#source.next(); next.done !== true; next = await this.#source.next()) yield next.value;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#rest = this.#rest.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#rest, next.value]);
    return true;
  }
}

export function isFlush(packet: Uint8Array): boolean {
  return FLUSH.equals(packet);
}

function malformed(why: string): CapabilityError {
  return new CapabilityError('InternalError', `Cannot speak with git: ${why}`);
}

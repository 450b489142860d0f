/** The text of a request: flags and values, each followed by NUL. */
import { Fault } from '@warren/protocol';
import { allocateFrame } from './frame.ts';
import { HEADER_BYTES, REQUEST_BYTES_MAX, type RequestType } from './frame-types.ts';

const UID_MAX = 0xffff_fffe; // The one above means "leave it" to the kernel.

/** A user inside the sandbox. */
export type User = { readonly uid: number; readonly gid: number };

/** Collects a request. Values are checked as they come: every refusal names what it is about. */
export class RequestText {
  readonly #action: string;
  #text = '';

  /** `action` completes "Cannot …" in the faults. */
  constructor(action: string) {
    this.#action = action;
  }

  /** A flag of ours without a value, or something that needs no check. */
  add(word: string): this {
    this.#text += `${word}\0`;
    return this;
  }

  addFlag(flag: string, value: string | number): this {
    this.#text += `${flag}\0${value}\0`;
    return this;
  }

  /** Text of the caller's. Throws `invalid_argument` when it cannot travel: NUL would end it, a lone surrogate has no UTF-8. */
  addText(text: string, what: string, index?: number): this {
    if (typeof text !== 'string') throw this.refuse(`${name(what, index)} is not a string`);
    if (text.includes('\0')) throw this.refuse(`${name(what, index)} contains a NUL character`);
    if (!text.isWellFormed()) throw this.refuse(`${name(what, index)} contains half of a surrogate pair`);
    this.#text += `${text}\0`;
    return this;
  }

  addUser(user: User | undefined): this {
    if (user === undefined) return this;
    return this.addFlag('--uid', this.checkInteger(user.uid, 'user.uid', 0, UID_MAX)).addFlag(
      '--gid',
      this.checkInteger(user.gid, 'user.gid', 0, UID_MAX),
    );
  }

  /** Throws `invalid_argument` unless `value` is an integer within the bounds. */
  checkInteger(value: number, what: string, min: number, max: number): number {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw this.refuse(`${what} is ${value}, it must be an integer from ${min} to ${max}`);
    }
    return value;
  }

  refuse(why: string): Fault<'invalid_argument'> {
    return new Fault('invalid_argument', `Cannot ${this.#action}: ${why}`);
  }

  /** The frame, still without its channel. Throws `too_large`. */
  encode(type: RequestType): Buffer {
    // A character is at least one byte, so text that is too long in characters need not be measured.
    const bytes = this.#text.length > REQUEST_BYTES_MAX ? this.#text.length : Buffer.byteLength(this.#text);
    if (bytes > REQUEST_BYTES_MAX) {
      throw new Fault(
        'too_large',
        `Cannot ${this.#action}: its arguments and options take ${bytes} bytes or more, the limit is ${REQUEST_BYTES_MAX}`,
        { details: { bytes, bytesMax: REQUEST_BYTES_MAX } },
      );
    }
    const frame = allocateFrame(type, 0, bytes);
    frame.write(this.#text, HEADER_BYTES);
    return frame;
  }
}

function name(what: string, index: number | undefined): string {
  return index === undefined ? what : `${what}[${index}]`;
}

/**
 * Deterministic CBOR (RFC 8949, 4.2.1) of JSON and bytes. The same bytes as `cborg` writes, which reads them and stands beside this in the tests, for a fifth of its work:
 * each call of an agent is encoded here.
 */
import { encode, rfc8949EncodeOptions } from 'cborg';

const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const MAP = 5;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const DOUBLE = 0xfb;

const BEGIN_BYTES = 4_096;
/** What is kept for the next value. */
const KEPT_BYTES_MAX = 65_536;
/** Up to here a text is faster written character by character than by a call into the engine. */
const SHORT_TEXT_MAX = 24;
const HEAD_BYTES_MAX = 9;

/** Encoding is synchronous, so one buffer serves all. */
let buffer = Buffer.allocUnsafe(BEGIN_BYTES);
let end = 0;

/** Takes null, booleans, finite numbers, well-formed texts, bytes, lists, and objects of these. Throws on anything else. */
export function encodeCbor(value: unknown): Buffer {
  end = 0;
  write(value);
  const encoded = Buffer.allocUnsafe(end);
  buffer.copy(encoded, 0, 0, end);
  if (buffer.length > KEPT_BYTES_MAX) buffer = Buffer.allocUnsafe(BEGIN_BYTES);
  return encoded;
}

function write(value: unknown): void {
  switch (typeof value) {
    case 'string':
      writeText(value);
      break;
    case 'number':
      writeNumber(value);
      break;
    case 'boolean':
      writeByte(value ? TRUE : FALSE);
      break;
    case 'object':
      if (value === null) writeByte(NULL);
      else if (value instanceof Uint8Array) writeBytes(value);
      else if (Array.isArray(value)) writeList(value);
      else writeMap(value as Readonly<Record<string, unknown>>); // Nothing else is left.
      break;
    default:
      throw new TypeError(`A ${typeof value} has no place in an entry of the audit`);
  }
}

function writeList(list: readonly unknown[]): void {
  writeHead(LIST, list.length);
  for (const inner of list) write(inner);
}

/** In the order of the encoded names, so that one object has one encoding. */
function writeMap(object: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(object);
  if (names.length > 1) names.sort(compareNames);
  writeHead(MAP, names.length);
  for (const name of names) {
    writeText(name);
    write(object[name]);
  }
}

/** The head of a text is its length, so shorter ones come first. */
function compareNames(one: string, other: string): number {
  const difference = Buffer.byteLength(one) - Buffer.byteLength(other);
  return difference === 0 ? Buffer.compare(Buffer.from(one), Buffer.from(other)) : difference;
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0) writeHead(UINT, value);
    else writeHead(NEGATIVE, -1 - value);
  } else if (Math.fround(value) === value) {
    append(encode(value, rfc8949EncodeOptions)); // Rare: it has a shorter form.
  } else {
    writeByte(DOUBLE);
    makeRoom(8);
    end = buffer.writeDoubleBE(value, end);
  }
}

function writeText(text: string): void {
  if (text.length > SHORT_TEXT_MAX || !writeShort(text)) {
    const length = Buffer.byteLength(text);
    writeHead(TEXT, length);
    makeRoom(length);
    end += buffer.write(text, end);
  }
}

/** Only ASCII; else what it wrote is written over. */
function writeShort(text: string): boolean {
  const start = end;
  writeHead(TEXT, text.length);
  makeRoom(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) {
      end = start;
      return false;
    }
    buffer[end + index] = code;
  }
  end += text.length;
  return true;
}

function writeBytes(bytes: Uint8Array): void {
  writeHead(BYTES, bytes.length);
  append(bytes);
}

function append(bytes: Uint8Array): void {
  makeRoom(bytes.length);
  buffer.set(bytes, end);
  end += bytes.length;
}

function writeByte(byte: number): void {
  makeRoom(1);
  buffer[end] = byte;
  end += 1;
}

/** A type and a number, in the fewest bytes. */
function writeHead(type: number, value: number): void {
  makeRoom(HEAD_BYTES_MAX);
  const first = type << 5;
  if (value < 24) {
    buffer[end++] = first | value;
  } else if (value < 0x100) {
    buffer[end++] = first | 24;
    buffer[end++] = value;
  } else if (value < 0x1_0000) {
    buffer[end++] = first | 25;
    end = buffer.writeUInt16BE(value, end);
  } else if (value < 0x1_0000_0000) {
    buffer[end++] = first | 26;
    end = buffer.writeUInt32BE(value, end);
  } else {
    buffer[end++] = first | 27;
    end = buffer.writeBigUInt64BE(BigInt(value), end);
  }
}

function makeRoom(bytes: number): void {
  if (end + bytes <= buffer.length) return;
  const larger = Buffer.allocUnsafe(2 * (end + bytes));
  buffer.copy(larger, 0, 0, end);
  buffer = larger;
}

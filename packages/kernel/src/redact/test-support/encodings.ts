/** The ways in which values travel, each as a program would write it; `roll` gives whole numbers below what it is asked for. */
import { deflateSync, gzipSync } from 'node:zlib';

export type Roll = (below: number) => number;
export type Encode = (value: Buffer, roll: Roll) => Buffer;

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');
const cased = (text: string, roll: Roll): string => (roll(2) === 0 ? text : text.toUpperCase());

/** Each byte that has to be, and some of the others. */
function escaped(value: Buffer, mustBe: RegExp, roll: Roll, write: (byte: number) => string): string {
  const share = roll(4);
  return Array.from(value, (byte) => {
    const character = String.fromCharCode(byte);
    return byte >= 0x80 || mustBe.test(character) || roll(4) < share ? write(byte) : character;
  }).join('');
}

/** Escapes that name characters, not bytes. */
function escapedCharacters(value: Buffer, mustBe: RegExp, roll: Roll, write: (character: string) => string): string {
  const share = roll(4);
  return [...value.toString()].map((character) => (mustBe.test(character) || roll(4) < share ? write(character) : character)).join('');
}

function wrapped(text: string, roll: Roll, least = 4): string {
  const width = least + roll(77 - least);
  const end = ['\n', '\r\n', '\n  '][roll(3)] ?? '\n';
  return (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(end);
}

/** Within something longer, so that it begins anywhere within three bytes. */
function within(value: Buffer, roll: Roll): Buffer {
  const around = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => 33 + roll(90)));
  return Buffer.concat([around(roll(5)), value, around(roll(5))]);
}

/** A wrong checksum, no checksum, or what is no part of it behind its first bytes. */
function damaged(bytes: Buffer, roll: Roll): Buffer {
  const way = roll(4);
  if (way === 0) return bytes.subarray(0, -1 - roll(9));
  const changed = Buffer.from(bytes);
  const from = way === 1 ? changed.byteLength - 8 : 10 + roll(changed.byteLength - 10);
  for (let at = from; at < changed.byteLength; at++) changed[at] = 128 + roll(128); // None that begins an escape, which would mend it.
  return changed;
}

function named(bytes: Buffer, roll: Roll): Buffer {
  const flags = roll(32);
  const name = Buffer.concat([Buffer.alloc(roll(30), 'name'), Buffer.alloc(1)]);
  const extra = Buffer.alloc(roll(20), '%41');
  const parts = [
    bytes.subarray(0, 3),
    Buffer.from([flags]),
    bytes.subarray(4, 10),
    ...((flags & 4) === 0 ? [] : [Buffer.from([extra.byteLength, 0]), extra]),
    ...((flags & 8) === 0 ? [] : [name]),
    ...((flags & 16) === 0 ? [] : [name]),
    ...((flags & 2) === 0 ? [] : [Buffer.from([7, 7])]),
  ];
  return Buffer.concat([...parts, bytes.subarray(10)]);
}

const units = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

export const ENCODINGS: Readonly<Record<string, Encode>> = {
  plain: (value) => value,
  base64: (value, roll) =>
    Buffer.from(
      within(value, roll)
        .toString('base64')
        .replace(roll(2) === 0 ? /=+$/ : /$/, ''),
    ),
  base64url: (value, roll) => Buffer.from(within(value, roll).toString('base64url')),
  'base64 in lines': (value, roll) => Buffer.from(wrapped(within(value, roll).toString('base64'), roll)),
  hex: (value, roll) => Buffer.from(cased(value.toString('hex'), roll)),
  'hex in lines': (value, roll) => Buffer.from(wrapped(value.toString('hex'), roll)),
  'hex with separators': (value, roll) => Buffer.from(cased(Array.from(value, hex2).join([':', ' ', '-'][roll(3)] ?? ':'), roll)),
  percent: (value, roll) => Buffer.from(escaped(value, /[%&+=\s"<>]/, roll, (byte) => `%${cased(hex2(byte), roll)}`)),
  json: (value, roll) => Buffer.from(escapedCharacters(value, /["\\\u0000-\u001f]/, roll, (each) => (each === '/' ? '\\/' : units(each)))),
  'json as a program writes it': (value) => Buffer.from(JSON.stringify(value.toString())),
  'c escapes': (value, roll) => Buffer.from(escaped(value, /[\\"\s]/, roll, (byte) => `\\x${hex2(byte)}`)),
  'octal escapes': (value, roll) => Buffer.from(escaped(value, /[\\"\s]/, roll, (byte) => `\\${byte.toString(8).padStart(3, '0')}`)),
  'escapes of code points': (value, roll) =>
    Buffer.from(
      escapedCharacters(value, /[\\"]/, roll, (each) => {
        const point = (each.codePointAt(0) ?? 0).toString(16);
        return roll(2) === 0 ? `\\u{${point}}` : `\\U${point.padStart(8, '0')}`;
      }),
    ),
  'percent as of old': (value, roll) =>
    Buffer.from(
      escapedCharacters(value, /[%+\s]/, roll, (each) =>
        Array.from({ length: each.length }, (_, index) => `%u${each.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''),
      ),
    ),
  coloured: (value, roll) =>
    Buffer.from(
      escapedCharacters(
        value,
        /[^\s\S]/,
        roll,
        (each) => `\u001b[${['', '0', '1;31', '38;5;196', '?25'][roll(5)]}${['m', 'K'][roll(2)]}${each}`,
      ),
    ),
  html: (value, roll) =>
    Buffer.from(
      escapedCharacters(value, /[&<>"']/, roll, (each) => (roll(2) === 0 ? NAMED[each] : undefined) ?? `&#${each.codePointAt(0)};`),
    ),
  'quoted-printable': (value, roll) =>
    Buffer.from(escaped(value, /[=\s]/, roll, (byte) => `=${hex2(byte).toUpperCase()}${roll(5) === 0 ? '=\r\n' : ''}`)),
  gzip: (value, roll) => gzipSync(within(value, roll)),
  'gzip that is damaged': (value, roll) => damaged(gzipSync(within(value, roll), { level: roll(10) }), roll),
  'gzip with a name and more': (value, roll) => named(gzipSync(within(value, roll)), roll),
  'gzip in several members': (value, roll) => {
    const cut = roll(value.byteLength);
    return Buffer.concat([value.subarray(0, cut), value.subarray(cut)].map((part) => gzipSync(part, { level: roll(10) })));
  },
  deflate: (value, roll) => deflateSync(within(value, roll), { level: 1 + roll(9) }),
};

/** What is written in two ways, one on top of the other. */
export const DOUBLE_ENCODINGS: readonly (readonly [inner: string, outer: string])[] = [
  ...['base64', 'base64 in lines', 'hex'].flatMap((inner) =>
    ['percent', 'json as a program writes it', 'quoted-printable', 'html'].map((outer) => [inner, outer] as const),
  ),
  ['json as a program writes it', 'json as a program writes it'],
  ['percent', 'percent'],
  ['coloured', 'json as a program writes it'],
  ['octal escapes', 'json as a program writes it'],
  ['escapes of code points', 'percent'],
  ['percent', 'json as a program writes it'],
  ['json as a program writes it', 'percent'],
  ['html', 'json as a program writes it'],
  ['gzip', 'base64 whole'],
  ['deflate', 'base64 whole'],
  ['gzip', 'hex whole'],
  ['base64', 'base64 whole'],
  ['percent', 'base64 whole'],
  ['json', 'hex whole'],
];

/** Of all there is, and standing apart: whoever decodes it knows where it begins. */
export const WHOLE: Readonly<Record<string, Encode>> = {
  'base64 whole': (value, roll) => {
    const text = value.toString('base64');
    return Buffer.from(` ${roll(2) === 0 ? text : wrapped(text, roll, 16)} `);
  },
  'hex whole': (value, roll) => Buffer.from(` ${cased(value.toString('hex'), roll)} `),
};

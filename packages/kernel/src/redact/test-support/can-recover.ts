/** Whether a value can be read out of bytes: every decoding there is, tried in the plainest way, without regard to time. Knows nothing of how values are found. */
import { gunzipSync, inflateSync } from 'node:zlib';

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const character = (point: number): string => (point <= 0x10ffff ? latin1(Buffer.from(String.fromCodePoint(point))) : '');

type Decode = (text: string) => readonly string[];

const DECODINGS: readonly Decode[] = [
  (text) => [text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))],
  (text) => [
    text
      .replace(/\\u(d[89ab][0-9a-f]{2})\\u(d[cdef][0-9a-f]{2})/gi, (_, high: string, low: string) =>
        character(0x10000 + (Number.parseInt(high, 16) - 0xd800) * 1_024 + Number.parseInt(low, 16) - 0xdc00),
      )
      .replace(
        /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbf])|([^a-z0-9]))/gi,
        (_, unit?: string, byte?: string, control?: string, plain?: string) => {
          if (unit !== undefined) return character(Number.parseInt(unit, 16));
          if (byte !== undefined) return String.fromCharCode(Number.parseInt(byte, 16));
          return control === undefined ? (plain ?? '') : '\n\r\t\b\f'.charAt('nrtbf'.indexOf(control.toLowerCase()));
        },
      ),
  ],
  (text) => [
    text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (_, digits?: string, code?: string, name?: string) => {
      if (digits !== undefined) return character(Number(digits));
      if (code !== undefined) return character(Number.parseInt(code, 16));
      return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[(name ?? '').toLowerCase()] ?? '';
    }),
  ],
  (text) => [
    text.replace(/=[ \t]*\r?\n/g, '').replace(/=([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  ],
  (text) => runsOf(text, /[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\\n|\s)*/g).flatMap((run) => shifts(run, 4, 'base64')),
  (text) => runsOf(text, /[0-9a-f](?:[0-9a-f]|\\n|[\s:-])*/gi).flatMap((run) => shifts(run.replace(/[^0-9a-f]/gi, ''), 2, 'hex')),
  (text) => membersOf(bytesOf(text)).map(latin1),
];

export function canRecover(bytes: Uint8Array, value: Uint8Array, depth = 2): boolean {
  return canRead(latin1(Buffer.from(bytes)), latin1(Buffer.from(value)), depth);
}

function canRead(text: string, value: string, depth: number): boolean {
  if (text.includes(value)) return true;
  return depth > 0 && DECODINGS.some((decode) => decode(text).some((each) => each !== text && canRead(each, value, depth - 1)));
}

function runsOf(text: string, form: RegExp): readonly string[] {
  return (text.match(form) ?? []).filter((run) => run.length >= 6).map((run) => run.replaceAll('\\n', '').replace(/\s/g, ''));
}

function shifts(run: string, count: number, encoding: 'base64' | 'hex'): readonly string[] {
  return Array.from({ length: count }, (_, shift) => latin1(Buffer.from(run.slice(shift), encoding)));
}

function membersOf(bytes: Buffer): readonly Buffer[] {
  return [...bytes.keys()].flatMap((at) => {
    try {
      if (bytes[at] === 0x1f && bytes[at + 1] === 0x8b) return [gunzipSync(bytes.subarray(at))];
      if (bytes[at] === 0x78 && (0x7800 + (bytes[at + 1] ?? 0)) % 31 === 0) return [inflateSync(bytes.subarray(at))];
    } catch {
      // It only looked like it.
    }
    return [];
  });
}

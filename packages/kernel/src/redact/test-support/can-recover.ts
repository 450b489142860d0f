/** Whether a value can be read out of bytes: every decoding there is, tried in the plainest way, without regard to time. Knows nothing of how values are found. */
import { constants, inflateRawSync } from 'node:zlib';

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const character = (point: number): string => (point <= 0x10ffff ? latin1(Buffer.from(String.fromCodePoint(point))) : '');

type Decode = (text: string) => readonly string[];

const DECODINGS: readonly Decode[] = [
  (text) => [
    text.replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi, (_, unit?: string, code?: string) =>
      unit === undefined ? String.fromCharCode(Number.parseInt(code ?? '', 16)) : character(Number.parseInt(unit, 16)),
    ),
  ],
  // What colours a terminal.
  (text) => [text.replace(/\x1b\[[0-?]{0,20}[ -/]{0,2}[@-~]/g, '')],
  (text) => [
    text
      .replace(/\\u(d[89ab][0-9a-f]{2})\\u(d[cdef][0-9a-f]{2})/gi, (_, high: string, low: string) =>
        character(0x10000 + (Number.parseInt(high, 16) - 0xd800) * 1_024 + Number.parseInt(low, 16) - 0xdc00),
      )
      .replace(
        /\\(?:u([0-9a-f]{4})|[uU]\{([0-9a-f]{1,6})\}|U([0-9a-f]{8})|x([0-9a-f]{2})|([0-7]{1,3})|([nrtbf])|([^a-z0-9]))/gi,
        (_, unit?: string, braced?: string, long?: string, byte?: string, octal?: string, control?: string, plain?: string) => {
          const point = unit ?? braced ?? long;
          if (point !== undefined) return character(Number.parseInt(point, 16));
          if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
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

/** As a lenient reader reads them: whatever follows, whatever the checksum says, and up to where they break. */
function membersOf(bytes: Buffer): readonly Buffer[] {
  return [...bytes.keys()].flatMap((at) => {
    const read = memberAt(bytes, at);
    if (read === undefined) return [];
    const next = read.end === undefined ? undefined : memberAt(bytes, read.end + 8);
    return next === undefined ? [read.plain] : [read.plain, Buffer.concat([read.plain, next.plain])];
  });
}

function memberAt(bytes: Buffer, at: number): { readonly plain: Buffer; readonly end: number | undefined } | undefined {
  const isZlib = bytes[at] === 0x78 && (0x7800 + (bytes[at + 1] ?? 0)) % 31 === 0;
  const isGzip = bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
  if (!isZlib && !isGzip) return undefined;
  const from = isZlib ? at + 2 : afterHeader(bytes, at);
  const source = bytes.subarray(from);
  const whole = inflated(source);
  if (whole !== undefined) return { plain: whole.plain, end: from + whole.length };
  let [read, broken, plain] = [0, Math.min(source.byteLength, 2_000), source.subarray(0, 0)];
  while (broken - read > 1) {
    const middle = (read + broken) >> 1;
    const part = inflated(source.subarray(0, middle));
    if (part === undefined) broken = middle;
    else [read, plain] = [middle, part.plain];
  }
  return { plain, end: undefined };
}

function inflated(source: Buffer): { readonly plain: Buffer; readonly length: number } | undefined {
  try {
    const { buffer, engine } = inflateRawSync(source, { info: true, finishFlush: constants.Z_SYNC_FLUSH }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    }; // So it is with `info`.
    return { plain: buffer, length: engine.bytesWritten };
  } catch {
    return undefined; // It breaks.
  }
}

function afterHeader(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3] ?? 0;
  let next = at + 10;
  if ((flags & 4) !== 0) next += 2 + (bytes[next] ?? 0) + 256 * (bytes[next + 1] ?? 0);
  for (const flag of [8, 16]) if ((flags & flag) !== 0) next = bytes.indexOf(0, next) + 1 || bytes.byteLength;
  return (flags & 2) === 0 ? next : next + 2;
}

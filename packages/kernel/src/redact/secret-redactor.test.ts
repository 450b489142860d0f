import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KnownSecret } from './secret-needles.ts';
import { createSecretRedactor, type SecretRedactor } from './secret-redactor.ts';
import { canRecover } from './test-support/can-recover.ts';
import { DOUBLE_ENCODINGS, ENCODINGS, type Encode, type Roll, WHOLE } from './test-support/encodings.ts';

const RUNS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 30);
const { WARREN_PROPERTY_SEED: GIVEN = '1' } = process.env;
/** The same questions each time, unless others are asked for: all there are take minutes to look through. */
const SEED = GIVEN === 'random' ? {} : { seed: Number(GIVEN) };

const rolls = fc.infiniteStream(fc.nat()).map(
  (stream): Roll =>
    (below) =>
      (stream.next().value as number) % below,
); // It never ends.
const aroundBytes = fc.oneof(
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc
    .string({ unit: fc.constantFrom('a', '%', '\\', '&', '=', '\n', 'x', ' ', '"', '4', '1'), maxLength: 40 })
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 12, maxLength: 200 }),
  fc.base64String({ minLength: 12, maxLength: 100 }),
  fc.stringMatching(/^(?:ghp|sk-live|pass)[A-Za-z0-9_!"/+&%\\ =-]{8,60}$/),
);
const values = texts.map((text) => Buffer.from(text.toWellFormed())).filter((bytes) => bytes.byteLength >= 12);

function redactorOf(value: Uint8Array, others: readonly KnownSecret[] = []): SecretRedactor {
  return createSecretRedactor([...others, { name: 'key', value }]);
}

function inChunks(redactor: SecretRedactor, bytes: Buffer, sizes: readonly number[], isFlushed = false): Buffer {
  const stream = redactor.stream();
  const parts: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(stream.push(bytes.subarray(at, at + size)));
    if (isFlushed) parts.push(stream.flush());
    at += size;
  }
  return Buffer.concat([...parts, stream.end()]);
}

describe('a value is not recovered', () => {
  it.each(Object.entries(ENCODINGS))('from %s, whatever stands around it, whole or in chunks', (_, encode) => {
    expectNoLeak((value, roll) => encode(value, roll));
  });

  it.each(DOUBLE_ENCODINGS)('from %s in %s', (inner, outer) => {
    const [first, second] = [encoding(inner), encoding(outer)];
    expectNoLeak((value, roll) => second(first(value, roll), roll));
  });

  function encoding(name: string): Encode {
    const found = ENCODINGS[name] ?? WHOLE[name];
    if (found === undefined) throw new Error(`There is no encoding ${name}`);
    return found;
  }

  function expectNoLeak(encode: Encode): void {
    fc.assert(
      fc.property(
        values,
        rolls,
        aroundBytes,
        aroundBytes,
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 4 }),
        (value, roll, before, after, sizes) => {
          const bytes = Buffer.concat([before, encode(value, roll), after]);
          const redactor = redactorOf(value, [{ name: 'other', value: 'sk-live-another-one' }]);
          const whole = redactor.bytes(bytes);
          expect(canRecover(whole, value), `whole: ${bytes.toString('latin1')}`).toBe(false);
          const long = Buffer.concat([Buffer.alloc(2_500, 'words, '), bytes, Buffer.alloc(3_500, ', words')]);
          const streamed = inChunks(redactor, long, sizes);
          expect(canRecover(streamed, value), `streamed: ${bytes.toString('latin1')}`).toBe(false);
          const flushed = inChunks(
            redactor,
            bytes,
            sizes.map((size) => 1 + (size % 50)),
            true,
          );
          expect(canRecover(flushed, value), `flushed: ${bytes.toString('latin1')}, by ${sizes}`).toBe(false);
        },
      ),
      { numRuns: RUNS, ...SEED },
    );
  }

  it('from lines whose ends are escaped by half', () => {
    const value = Buffer.from('a value that is long enough for three lines of base64');
    const lines = value.toString('base64').match(/.{1,30}/g) ?? [];
    const redactor = redactorOf(value);
    for (const end of ['\r&#10;', '&#13;\n', '&#13;&#10;', '\r%0A', '%0D\n', '\r&#10; ', '\r=0A'])
      expect(canRecover(redactor.bytes(Buffer.from(`x ${lines.join(end)} y`)), value), JSON.stringify(end)).toBe(false);
  });

  it('from a long value of several lines, nor any of its lines', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 12 }, (_, line) => `MII${line}`.padEnd(64, 'aB3/')).join('\n')}\n-----END PRIVATE KEY-----\n`;
    const redactor = redactorOf(Buffer.from(key));
    for (const shown of [key, key.replaceAll('\n', '\r\n  '), JSON.stringify(key), Buffer.from(`x${key}`).toString('base64')]) {
      const redacted = redactor.text(`before ${shown} after`);
      expect(redacted).toMatch(/^before /);
      expect(redacted).toMatch(/ after$/);
      for (const line of key.split('\n').slice(1, -2)) expect(canRecover(Buffer.from(redacted), Buffer.from(line))).toBe(false);
    }
    expect(redactor.text('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
  });

  it('of bytes that are no text', () => {
    const value = Buffer.from([0xff, 0xfe, 0x00, 0x9c, 0xe4, 0x41, 0x80, 0x31, 0xc3, 0x28]);
    const redactor = redactorOf(value);
    for (const shown of [
      value,
      Buffer.from(value.toString('latin1')),
      Buffer.from(value.toString('hex')),
      Buffer.from(JSON.stringify(value.toString('latin1'))),
    ])
      expect(Buffer.from(redactor.bytes(Buffer.concat([shown, Buffer.from(' rest')]))).toString()).toContain('[redacted:key]');
  });
});

describe('a text', () => {
  it('without a value is not touched, byte for byte', () => {
    const redactor = redactorOf(Buffer.from('xX9-never-there-Qq'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6_000 }), fc.integer({ min: 1, max: 500 }), (bytes, size) => {
        const buffer = Buffer.from(bytes);
        expect(redactor.bytes(buffer)).toBe(buffer);
        expect(inChunks(redactor, buffer, [size]).equals(buffer)).toBe(true);
      }),
      { numRuns: RUNS, ...SEED },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        expect(redactor.text(text)).toBe(text);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });

  it('keeps what stands around a value', () => {
    const redactor = createSecretRedactor([
      { name: 'a', value: 'first-secret' },
      { name: 'b', value: 'second-secret' },
    ]);
    expect(redactor.text('x first-secret, second-secret; first%2Dsecret "second\\u002dsecret"')).toBe(
      'x [redacted:a], [redacted:b]; [redacted:a] "[redacted:b]"',
    );
    expect(redactor.text('first-secretfirst-secret')).toBe('[redacted:a]');
    expect(inChunks(redactor, Buffer.from(`${'x'.repeat(5_000)}${'first-secret'.repeat(1_000)}y`), [700]).toString()).toBe(
      `${'x'.repeat(5_000)}[redacted:a]y`,
    );
  });

  it('names the one given first when several have the same value', () => {
    const redactor = createSecretRedactor(['one', 'other'].map((name) => ({ name, value: 'the same value' })));
    expect(redactor.text('the same value')).toBe('[redacted:one]');
  });

  it('is looked through for values without the white space at their ends, too', () => {
    const kept = ['pass-word\n', ' \t\u00a0"spaced out"\r\n', 'abcde\n', '\n\n\n\n\n\n\n'].map((value, index) => ({
      name: `${index}`,
      value,
    }));
    const redactor = createSecretRedactor([...kept, { name: 'bytes', value: Buffer.from([0xff, 0x80, 0x31, 0x32, 0x33, 0x34, 0x0a]) }]);
    expect(redactor.text('the password is pass-word, they said')).toBe('the password is [redacted:0], they said');
    expect(redactor.text(`it is "${Buffer.from('user:pass-word').toString('base64')}"`)).toMatch(/^it is "[^"]*\[redacted:0\][^"]*"$/);
    expect(redactor.text(`it is ${JSON.stringify('"spaced out"')}, pass%2Dword`)).toMatch(/^it is "\[redacted:1\]", \[redacted:0\]$/);
    expect(Buffer.from(redactor.bytes(Buffer.from([0x20, 0xff, 0x80, 0x31, 0x32, 0x33, 0x34, 0x20]))).toString()).toBe(
      ' [redacted:bytes] ',
    );
    expect(redactor.text('abcde, and lines\n\nof words')).toBe('abcde, and lines\n\nof words');
  });

  it('is looked through for values of 6 bytes and more', () => {
    const redactor = createSecretRedactor([
      { name: 'short', value: '12345' },
      { name: 'enough', value: 'qwe%4z' },
    ]);
    expect(redactor.count).toBe(1);
    expect(redactor.text('12345 qwe%4z qwe%254z cXdlJTR6')).toBe('12345 [redacted:enough] [redacted:enough] [redacted:enough]');
    expect(createSecretRedactor([]).text('12345')).toBe('12345');
  });
});

describe('a stream whose reader waits', () => {
  const events = Array.from({ length: 200 }, (_, index) => `event: message\ndata: {"index":${index},"text":"it says \\"no\\""}\n\n`);

  it('is told each event when it came', () => {
    const stream = createSecretRedactor(
      Array.from({ length: 300 }, (_, index) => ({
        name: `${index}`,
        value: `sk-live-${Math.imul(index + 1, 0x9e3779b1).toString(36)}-key`,
      })),
    ).stream();
    const texts = [...events, 'data: some words\n\n', 'data: more\r\n\r\n', '{"line":1}\n'];
    for (const text of texts) expect(Buffer.concat([stream.push(Buffer.from(text)), stream.flush()]).toString()).toBe(text);
  });

  it('is told nothing of what may become a value', () => {
    const redactor = redactorOf(Buffer.from('"{sk}-live-{0123}-"'));
    for (const begun of ['data: "{', '"{sk}', '"{sk}-live-{0123}', '\\u0022{', '%22{sk}', '&quot;', '\u001b[1m"{', 'InthazJ']) {
      const stream = redactor.stream();
      stream.push(Buffer.from(begun));
      expect(stream.flush().byteLength, begun).toBe(0);
    }
    const stream = redactor.stream();
    const parts = ['data: x "{s', 'k}', '-live-{', '0123}', '-"\n\n'].flatMap((part) => [stream.push(Buffer.from(part)), stream.flush()]);
    expect(Buffer.concat([...parts, stream.end()]).toString()).toBe('data: x [redacted:key]\n\n');
  });
});

describe('where a text was cut', () => {
  const redactor = redactorOf(Buffer.from('https://hooks.example/0123456789abcdefghij'));

  it('most of a value is as good as all of it', () => {
    expect(redactor.text('ooks.example/0123456789abcdefghij is the end')).toBe('[redacted:key] is the end');
    expect(redactor.text('it begins https://hooks.example/0123456789abcd')).toBe('it begins [redacted:key]');
  });

  it('little of it is not', () => {
    for (const text of ['see https://hooks.example/', 'abcdefghij', 'https://']) expect(redactor.text(text)).toBe(text);
  });
});

describe('what is compressed', () => {
  it('and too large to look through is taken out', () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const redactor = redactorOf(Buffer.from('a secret of some length'));
    expect(redactor.text(`x ${bomb.toString('base64')}`)).toMatch(/^x \[redacted:compressed data that is too large/);
  });

  it('is read though its checksum is wrong, it breaks, or something follows it', () => {
    const value = Buffer.from([103, 104, 112, 37, 45, 37, 97, 65, 33, 38, 48, 43]);
    const redactor = redactorOf(value);
    for (const [member, trailer] of [[gzipSync(value), 8] as const, [deflateSync(value), 4] as const]) {
      const damaged = Buffer.from(member);
      damaged.fill(0x5a, damaged.byteLength - 4);
      const shown = [member, damaged, member.subarray(0, -trailer), Buffer.concat([member.subarray(0, -trailer), Buffer.alloc(40, 0xff)])];
      for (const after of ['', '=\n', ' and so on', 'x']) {
        for (const each of shown) {
          const redacted = redactor.bytes(Buffer.concat([each, Buffer.from(after)]));
          expect(canRecover(redacted, value)).toBe(false);
          if (each.byteLength === member.byteLength) expect(redacted.toString()).toBe(`[redacted:key]${after}`);
        }
      }
    }
  });

  it('is found again behind beginnings of nothing', () => {
    const value = Buffer.from('a secret of some length');
    const redactor = redactorOf(value);
    const bytes = Buffer.concat([Buffer.from('x\x9c\x12\x34\x56\x78\x9a\xbc'.repeat(20), 'latin1'), gzipSync(value), Buffer.from('rest')]);
    const redacted = Buffer.from(redactor.bytes(bytes));
    expect(canRecover(redacted, value)).toBe(false);
    expect(redacted.subarray(-4).toString()).toBe('rest');
  });

  it('and goes on for long is held back, and taken out of a stream when it goes on for longer', () => {
    const redactor = redactorOf(Buffer.from('a secret of some length'));
    const random = Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => Math.imul(index * index + 7, 0x9e3779b1) >>> 24));
    const redacted = inChunks(redactor, Buffer.concat([Buffer.from('before '), gzipSync(random)]), [50_000]);
    expect(redacted.toString()).toMatch(/^before \[redacted:compressed/);
  });
});

import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCbor } from './encode-cbor.ts';
import { STRICT } from './records.ts';

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\0'), maxLength: 400 }),
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 70_000 }),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, 2 ** 53, 1e300, 5e-324, 2 ** -24, 0.1, 1.5, 65_504.5, 3.4e38),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
);
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed()),
  fc.constantFrom('__proto__', '', '1', 'aa', 'é'),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(name, tie('value'), { noNullPrototype: false, maxKeys: 30 }),
  ),
}));

describe('encodeCbor', () => {
  it('writes the bytes that cborg writes, and cborg reads them', () => {
    fc.assert(
      fc.property(value, (each) => {
        const encoded = encodeCbor(each);
        expect(encoded).toEqual(Buffer.from(encode(each, rfc8949EncodeOptions)));
        expect(Buffer.from(encode(decode(encoded, STRICT), rfc8949EncodeOptions))).toEqual(encoded);
      }),
      { numRuns: 2_000 },
    );
  });

  it('writes what is larger than the buffer it begins with', () => {
    const large = { text: 'ä'.repeat(300_000), list: Array.from({ length: 20_000 }, (_, index) => index), bytes: new Uint8Array(100_000) };
    expect(encodeCbor(large)).toEqual(Buffer.from(encode(large, rfc8949EncodeOptions)));
    expect(encodeCbor([])).toEqual(Buffer.of(0x80));
  });

  it('throws on what is no JSON, and encodes the next value all the same', () => {
    for (const odd of [undefined, () => 0, Symbol('odd'), 1n, [undefined]]) expect(() => encodeCbor(odd)).toThrow(TypeError);
    expect(encodeCbor('next')).toEqual(Buffer.from(encode('next')));
  });
});

import { describe, expect, it } from 'vitest';
import { readHeads, toHeadDocument } from './head-document.ts';

const HEAD = { size: 3, root: 'ab'.repeat(32), at: 1_764_000_000_123, keyId: '0123456789abcdef', signature: 'c2ln' };
const LATER = { ...HEAD, size: 4, at: HEAD.at + 1 };

describe('readHeads', () => {
  it('reads what was written: a document, one around it, or a line for each', () => {
    const document = toHeadDocument(HEAD);
    expect(document).toEqual({ size: 3, root: HEAD.root, at: 1_764_000_000.123, key_id: HEAD.keyId, signature: 'c2ln' });
    expect(readHeads(JSON.stringify(document, null, 2), 'x')).toEqual([HEAD]);
    expect(readHeads(JSON.stringify({ head: document, public_key: 'PEM' }), 'x')).toEqual([HEAD]);
    const lines = [HEAD, LATER].map((head) => `${JSON.stringify(toHeadDocument(head))}\n`).join('');
    expect(readHeads(lines, 'x')).toEqual([HEAD, LATER]);
  });

  it('reads anchors of earlier versions, also among those of this one', () => {
    const lines = `${JSON.stringify(HEAD)}\n${JSON.stringify(toHeadDocument(LATER))}\n`;
    expect(readHeads(lines, 'x')).toEqual([HEAD, LATER]);
  });

  it.each([
    ['', 'Cannot use heads.jsonl as a head: it is empty'],
    ['{', 'Cannot use heads.jsonl as a head: it is no JSON (line 1)'],
    ['null', 'Cannot use heads.jsonl as a head: size, root, at, key_id or signature is missing'],
    ['{"head":{"size":"1"}}', 'Cannot use heads.jsonl as a head: size, root, at, key_id or signature is missing'],
    [`${JSON.stringify(HEAD)}\n[]\n`, 'Cannot use heads.jsonl, line 2, as a head: size, root, at, key_id or signature is missing'],
  ])('refuses what is no head: %j', (text, message) => {
    expect(() => readHeads(text, 'heads.jsonl')).toThrow(expect.objectContaining({ code: 'invalid_argument', message }));
  });
});

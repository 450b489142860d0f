import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexTextOf, keywordsOf, termsOf } from './terms.ts';

describe('keywordsOf', () => {
  it.each([
    ['what was the solution for the bug', ['solution', 'bug']],
    ['that thing we discussed about the API', ['discussed', 'api']],
    ['go 42 a1', ['a1']],
    ['API를 어제 논의한 방법', ['api를', 'api', '논의한', '방법']],
    ['昨日のAPIバグについて教えて', ['api', 'バグ', 'について', '教', 'えて']],
    ['¿cuál es la contraseña del servidor?', ['contraseña', 'servidor']],
    ['qual é a senha do servidor', ['senha', 'servidor']],
    ['ما هي كلمة المرور', ['كلمة', 'المرور']],
    ['数据库', ['数', '据', '库', '数据', '据库']],
    ['!!!', []],
    ['the of and', []],
  ])('finds in %j what is looked for', (query, expected) => {
    expect(keywordsOf(query)).toEqual(expected);
  });

  it('ends with any text, and finds nothing that is not in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const plain = text.normalize('NFKC').toLowerCase();
        for (const keyword of keywordsOf(text)) expect(plain).toContain(keyword);
      }),
    );
  });
});

describe('termsOf', () => {
  it('finds parts of compounds of scripts without spaces', () => {
    expect(termsOf('我们讨论了数据库迁移方案')).toEqual(expect.arrayContaining(['数据', '据库', '迁移', '方案']));
    expect(termsOf('データベースのバックアップ')).toEqual(expect.arrayContaining(['データベース', 'バックアップ']));
  });

  it('finds Korean words with and without their particle', () => {
    expect(termsOf('데이터베이스를 백업')).toEqual(['데이터베이스를', '데이터베이스', '백업']);
  });

  it('hands an index what it can part itself as it stands, and everything else in parts', () => {
    expect(indexTextOf('Plain, as it IS')).toBe('Plain, as it IS');
    expect(indexTextOf('Über ﬁne')).toBe('über fine');
    for (const text of ['数据库迁移', 'データ', '데이터베이스를']) expect(indexTextOf(text)).toBe(termsOf(text).join(' '));
  });
});

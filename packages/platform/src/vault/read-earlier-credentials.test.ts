import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readEarlierCredentials } from './read-earlier-credentials.ts';

const PASSPHRASE = 'correct horse';

/** As the earlier system writes an entry. */
function sealed(values: unknown, passphrase = PASSPHRASE): Record<string, string> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(passphrase, salt, 100_000, 32, 'sha512'), iv);
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(values)), cipher.final()]);
  const entry = { salt, iv, tag: cipher.getAuthTag(), ciphertext };
  return Object.fromEntries(Object.entries(entry).map(([name, bytes]) => [name, bytes.toString('base64')]));
}

const read = (credentials: unknown, passphrase = PASSPHRASE) =>
  readEarlierCredentials(Buffer.from(JSON.stringify({ version: 1, credentials })), passphrase);

describe('credentials of an earlier system', () => {
  it('come over, with what is damaged named beside them', async () => {
    const flipped = sealed({ a: '1' });
    const entries = await read({
      github: sealed({ TOKEN: 'one', OTHER: 'zwei ü' }),
      moved: { ...sealed({ A: '1' }), ciphertext: flipped['ciphertext'] },
      short: { ...flipped, tag: 'AAAA' },
      broken: { salt: 'AAAA' },
      odd: 7,
      list: sealed(['a']),
      numbers: sealed({ a: 1 }),
      toString: sealed({ A: '1' }),
    });
    expect(entries).toEqual([
      { kind: 'read', skill: 'github', values: { TOKEN: 'one', OTHER: 'zwei ü' } },
      { kind: 'damaged', skill: 'moved', why: 'sealed' },
      ...['short', 'broken', 'odd', 'list', 'numbers'].map((skill) => ({ kind: 'damaged', skill, why: 'malformed' })),
      { kind: 'read', skill: 'toString', values: { A: '1' } },
    ]);
    expect(await read({})).toEqual([]);
  });

  it('with a wrong passphrase are told to have another', async () => {
    const credentials = { github: sealed({ TOKEN: 'one' }), broken: 7 };
    await expect(read(credentials, 'wrong')).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringMatching(/not the right one/),
    });
    await expect(read(credentials, '')).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await read({ ...credentials, mine: sealed({ A: '1' }, 'wrong') }, 'wrong')).toMatchObject([
      { why: 'sealed' },
      {},
      { kind: 'read' },
    ]);
  });

  it.each(['', '{', 'null', '[]', '{"version":2,"credentials":{}}', '{"version":1}', '{"version":1,"credentials":[]}'])(
    'are none in %j',
    async (text) => {
      await expect(readEarlierCredentials(Buffer.from(text), PASSPHRASE)).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('are bounded', async () => {
    await expect(readEarlierCredentials(Buffer.alloc(16_777_217), PASSPHRASE)).rejects.toMatchObject({ code: 'too_large' });
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`s${index}`, 1]));
    await expect(read(many)).rejects.toMatchObject({ code: 'too_large' });
  });
});

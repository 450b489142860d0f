import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, REDACTED_BYTES_MAX, redactInput } from './redact-input.ts';

describe('a field', () => {
  it.each([
    'api_key',
    'apiKey',
    'X-API-Key',
    'token',
    'githubToken',
    'PASSWORD',
    'db_password',
    'secret',
    'client_secret',
    'credential',
    'credentials',
    'Authorization',
    'private_key',
    'privateKeyPem',
    'access_key',
    'refresh_token',
    'passphrase',
    'password1',
    'Set-Cookie',
    'apiKeys',
  ])('named %s is not recorded, of whatever type it is', (name) => {
    for (const value of ['hunter2', 7, true, ['a'], { a: 1 }])
      expect(redactInput({ [name]: value })).toEqual({ [name]: `[REDACTED:${name}]` });
  });

  it.each(['max_tokens', 'path', 'secretary', 'tokenizer', 'key', 'author'])('named %s is recorded', (name) => {
    expect(redactInput({ [name]: 7 })).toEqual({ [name]: 7 });
  });

  it('that is empty says that it is', () => {
    expect(redactInput({ token: '', password: null })).toEqual({ token: '', password: null });
  });

  it('that the caller names is not recorded either, also deep within', () => {
    expect(redactInput({ a: [{ PIN_code: 1 }] }, { secretFields: ['pinCode'] })).toEqual({ a: [{ PIN_code: '[REDACTED:PIN_code]' }] });
  });
});

describe('a known secret', () => {
  const secret = 'pä ss/w+rd?&"42\\x';
  const forms = [
    secret,
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(`user:${secret}`).toString('base64'),
    Buffer.from(`ab${secret}cd`).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    new URLSearchParams({ q: secret }).toString().replace(/%20/g, '+'),
    JSON.stringify({ a: secret }),
  ];
  it.each(forms)('is found as %s, in texts and in names', (form) => {
    const redacted = JSON.stringify(
      redactInput({ command: `run ${form} now`, [form]: 1 }, { knownSecrets: [{ name: 'database', value: secret }] }),
    );
    expect(redacted).not.toContain(form.slice(2, -4));
    expect(redacted).toContain('[redacted:database]');
  });

  it('is found across where a long text is cut', () => {
    const text = `${'x'.repeat(8_190)}supersecret`;
    expect(JSON.stringify(redactInput({ text }, { knownSecrets: [{ name: 'a', value: 'supersecret' }] }))).not.toMatch(/supe|su\[/);
  });

  it('that is too short to be one does not take every letter away', () => {
    expect(redactInput({ a: 'banana' }, { knownSecrets: ['a', 'an', ''].map((value) => ({ name: 'short', value })) })).toEqual({
      a: 'banana',
    });
  });
});

describe('a well-known form', () => {
  it.each([
    `AKIA${'ABCDEFGH'.repeat(2)}`,
    `ghp_${'a1B2'.repeat(9)}`,
    `github_pat_${'a1B2_'.repeat(10)}`,
    `glpat-${'a1B2'.repeat(5)}`,
    `xoxb-${'1234567890-'.repeat(3)}abc`,
    `sk-ant-api03-${'a1B2'.repeat(8)}`,
    `wrn_${'A'.repeat(43)}`,
    `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${'a1B2'.repeat(10)}`,
    `-----BEGIN RSA PRIVATE KEY-----\nMIIE${'abc\n'.repeat(300)}-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\nMIIE${'abc\n'.repeat(300)}`,
    `Bearer ${'a1B2'.repeat(8)}`,
  ])('is taken out of a text: %j', (token) => {
    const { command } = redactInput({ command: `before ${token} after` }) as { command: string };
    expect(command).toMatch(/^before .*\[REDACTED/);
    expect(command).not.toContain(token.slice(-30, -4));
  });

  it('is the password of an address', () => {
    expect(redactInput({ url: 'https://user:hunter22@example.com/a:b@c' })).toEqual({
      url: 'https://user:[REDACTED:password in url]@example.com/a:b@c',
    });
  });
});

describe('whatever it is given', () => {
  it('the result is JSON within the bound', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withObjectString: true,
          withTypedArray: true,
          maxDepth: 6,
        }),
        (value) => {
          const text = JSON.stringify(redactInput(value));
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(REDACTED_BYTES_MAX);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a text of 50 MB', { a: 'x'.repeat(50_000_000) }],
    ['many texts', Array.from({ length: 20_000 }, () => 'some text of the usual length')],
    ['many names', Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`name-${index}`, 1]))],
    ['long names', Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}`.padEnd(100_000, 'x'), 1]))],
    ['secrets without end', Array.from({ length: 20_000 }, () => ({ token: 'x' }))],
    ['control characters', { a: '\u0000'.repeat(100_000) }],
    ['depth without end', nested(100_000)],
    ['half a private key, often', { a: '-----BEGIN PRIVATE KEY-----'.repeat(100_000) }],
    ['half a token, often', { a: 'eyJ-'.repeat(100_000), b: 'eyJeyJ.'.repeat(100_000) }],
    ['half an address, often', { a: 'a://a:'.repeat(100_000), b: `a://${'a:'.repeat(100_000)}` }],
    ['half an authorization, often', { a: 'Bearer '.repeat(100_000), b: 'sk-'.repeat(100_000) }],
  ])('%s is bounded', (_, value) => {
    expect(Buffer.byteLength(JSON.stringify(redactInput(value)))).toBeLessThanOrEqual(REDACTED_BYTES_MAX);
  });

  it('names of the prototype are names like any other', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const redacted = redactInput(value) as Record<string, unknown>;
    expect(JSON.stringify(redacted)).toBe(JSON.stringify(value));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('says how long a text was that it cut', () => {
    const { a } = createRedactor()({ a: 'x'.repeat(20_000) }) as { a: string };
    expect(a).toMatch(/^x{8192}\[cut: 20000 characters\]$/);
  });
});

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

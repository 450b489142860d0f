import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { der, integer, objectIdentifier, time } from './der.ts';
import { makeCertificate } from './make-certificate.ts';

const NOW = new Date('2026-03-04T05:06:07.089Z');

it('is read by others as what it is: of its own key, for these names and no others, for ten years', () => {
  const { cert, key } = makeCertificate(['localhost', 'warren.example', '127.0.0.1', '::1', '2001:db8::192.0.2.1'], NOW);
  const found = new X509Certificate(cert);
  expect(found.subjectAltName).toBe(
    'DNS:localhost, DNS:warren.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:C000:201',
  );
  expect([found.subject, found.issuer, found.ca, found.keyUsage]).toEqual(['CN=warren', 'CN=warren', false, ['1.3.6.1.5.5.7.3.1']]);
  expect([found.checkPrivateKey(createPrivateKey(key)), found.verify(found.publicKey)]).toEqual([true, true]);
  expect([new Date(found.validFrom), new Date(found.validTo)]).toEqual([
    new Date('2026-03-04T04:06:07Z'),
    new Date('2036-03-04T05:06:07Z'),
  ]);
  expect([found.checkHost('localhost'), found.checkHost('evil.example'), found.checkIP('127.0.0.2')]).toEqual([
    'localhost',
    undefined,
    undefined,
  ]);
  expect(new X509Certificate(makeCertificate([], NOW).cert).serialNumber).not.toBe(found.serialNumber);
});

it('holds as many names as a machine has', () => {
  const names = Array.from({ length: 500 }, (_, index) => `n${index}.example`);
  expect(new X509Certificate(makeCertificate(names, NOW).cert).checkHost('n499.example')).toBe('n499.example');
});

it('an authority vouches for hosts, each alone, and no two authorities are one', () => {
  const authority = new Authority('Warren sandbox', NOW);
  const other = new Authority('Warren sandbox', NOW);
  const root = new X509Certificate(authority.certificate);
  expect([root.ca, root.checkIssued(root), root.subject]).toEqual([true, true, expect.stringMatching(/^CN=Warren sandbox [0-9a-f]{8}$/)]);
  const long = `${'a'.repeat(60)}.example.com`;
  for (const host of ['a.example', long, '192.0.2.1', '2001:db8::1']) {
    const { cert, key } = authority.issue(host);
    const leaf = new X509Certificate(cert);
    expect([leaf.ca, leaf.checkIssued(root), leaf.verify(root.publicKey), leaf.checkPrivateKey(createPrivateKey(key))]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(leaf.verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
    expect(leaf.checkHost('b.example')).toBeUndefined();
  }
  expect(new X509Certificate(authority.issue('a.example').cert).checkHost('a.example')).toBe('a.example');
  expect(other.certificate).not.toBe(authority.certificate);
  expect(JSON.stringify(authority)).not.toContain('PRIVATE');
});

it('numbers, lengths and times are as DER has them', () => {
  expect(integer(Buffer.from([0, 0, 0x80])).toString('hex')).toBe('02020080');
  expect(integer(Buffer.from([0])).toString('hex')).toBe('020100');
  expect(objectIdentifier('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
  expect(der(4, Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('047f');
  expect(der(4, Buffer.alloc(128)).subarray(0, 3).toString('hex')).toBe('048180');
  expect(der(4, Buffer.alloc(65_536)).subarray(0, 5).toString('hex')).toBe('0483010000');
  expect(time(NOW).toString('latin1').slice(2)).toBe('260304050607Z');
  expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1').slice(2)).toBe('20500101000000Z');
});

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '@warren/platform';
import { expect, it } from 'vitest';
import { keepSelfSigned, ownNames } from './self-signed.ts';
import { readTlsIdentity, versionOf } from './tls-identity.ts';

const NOW = new Date('2026-03-04T05:06:07.089Z');

it('is made once, for its owner alone, and anew when it does not fit', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-tls-'));
  try {
    const paths = keepSelfSigned(join(directory, 'tls'), ownNames(['127.0.0.1']), NOW);
    expect([statSync(paths.key).mode & 0o777, statSync(paths.cert).mode & 0o777]).toEqual([0o600, 0o600]);
    const first = readTlsIdentity(paths);
    expect(first.fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    keepSelfSigned(join(directory, 'tls'), ownNames(['::1']), NOW);
    expect(readTlsIdentity(paths)).toEqual(first);
    keepSelfSigned(join(directory, 'tls'), ownNames(['192.0.2.7']), NOW);
    const second = readTlsIdentity(paths);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    keepSelfSigned(join(directory, 'tls'), ownNames(['192.0.2.7']), new Date('2036-02-20T00:00:00Z'));
    expect(readTlsIdentity(paths).fingerprint).not.toBe(second.fingerprint);
    writeFileSync(paths.cert, 'nonsense');
    expect(() => readTlsIdentity(paths)).toThrow(/Cannot serve TLS with the certificate .*cert.pem/);
    const before = versionOf(paths);
    keepSelfSigned(join(directory, 'tls'), ownNames([]), NOW);
    expect(versionOf(paths)).not.toBe(before);
    writeFileSync(paths.key, makeCertificate([], NOW).key);
    expect(() => readTlsIdentity(paths)).toThrow(/it is not that of the certificate/);
    expect(readFileSync(paths.key, 'utf8')).toContain('PRIVATE KEY');
    rmSync(paths.key);
    expect(() => readTlsIdentity(paths)).toThrow(/there is no such file/);
    expect(ownNames(['0.0.0.0']).length).toBeGreaterThan(2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

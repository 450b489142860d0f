import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { Authority } from '../certificate/authority.ts';
import { readAuthorities } from './read-authorities.ts';

const WHAT = 'egress.ca_file';

function made(name: string): string {
  return new Authority(name, new Date()).certificate.trim();
}

it('authorities of a file are trusted besides those that Node trusts, whatever is written between them', async () => {
  await using directory = await TemporaryDirectory.create();
  const [one, other] = [made('one'), made('other')];
  await writeFile(directory.join('ca.pem'), `# Größe\n${one}\nin between\r\n${other.replaceAll('\n', '\r\n')}\n`);
  await symlink('ca.pem', directory.join('link'));
  const read = await readAuthorities(directory.join('link'), WHAT);
  expect(read).toEqual([...rootCertificates, one, other.replaceAll('\n', '\r\n')]);
});

it.each([
  ['nothing', '', 'invalid_argument', 'it holds no certificate in PEM'],
  ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'invalid_argument', 'it holds no certificate in PEM'],
  ['half a certificate', made('x').slice(0, 200), 'invalid_argument', 'it holds no certificate in PEM'],
  [
    'a damaged one behind a good one',
    `${made('x')}\n${made('y').replace(/\n[^\n]{20}/, '\n')}`,
    'invalid_argument',
    'its certificate 2 is none',
  ],
  ['too many', `${made('x')}\n`.repeat(1_001), 'too_large', 'it holds 1001 certificates, 1000 are allowed'],
])('a file that holds %s is refused', async (_, content, code, why) => {
  await using directory = await TemporaryDirectory.create();
  const path = directory.join('ca.pem');
  await writeFile(path, content);
  await expect(readAuthorities(path, WHAT)).rejects.toMatchObject({ code, message: `Cannot use ${path} for ${WHAT}: ${why}` });
});

it('what is no file of a sensible size is refused', async () => {
  await using directory = await TemporaryDirectory.create();
  await mkdir(directory.join('folder'));
  await writeFile(directory.join('huge'), 'x');
  await truncate(directory.join('huge'), 1_048_577);
  await expect(readAuthorities(directory.join('folder'), WHAT)).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(readAuthorities(directory.join('huge'), WHAT)).rejects.toMatchObject({ code: 'too_large' });
  await expect(readAuthorities(directory.join('none'), WHAT)).rejects.toMatchObject({ code: 'not_found', details: { field: WHAT } });
  await expect(readAuthorities('/dev/zero', WHAT)).rejects.toMatchObject({ code: 'invalid_argument' });
  if (process.getuid?.() === 0) return;
  await chmod(directory.join('huge'), 0);
  await expect(readAuthorities(directory.join('huge'), WHAT)).rejects.toMatchObject({ code: 'permission_denied' });
});

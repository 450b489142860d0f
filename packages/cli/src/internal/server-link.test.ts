import { Fault } from '@warren/protocol';
import { expect, it } from 'vitest';
import { withTrustAdvice } from './server-link.ts';

const SERVER = 'https://warren.example.org';
const fixOf = (error: Fault) => (withTrustAdvice(error, SERVER) as Fault).details?.['fix'];

it('how to know a server is said of its certificate, and of nothing that only speaks of one', () => {
  const found = { details: { is_certificate: true } };
  expect(fixOf(new Fault('unavailable', 'Cannot talk to it: nobody vouches for it', found))).toContain(
    `login --server ${SERVER} --fingerprint`,
  );
  expect(fixOf(new Fault('permission_denied', 'Cannot trust the server', found))).toContain('--fingerprint');
  expect(fixOf(new Fault('permission_denied', 'Cannot read the file certificate.pem: policy denies it'))).toBeUndefined();
  expect(fixOf(new Fault('unavailable', 'Cannot reach certificate.example.org', { details: { errno: 'ECONNREFUSED' } }))).toBeUndefined();
});

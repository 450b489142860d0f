/** A certificate that vouches for itself: for one server on the names and addresses it is reached by, and for nothing else. */
import { generateKeyPairSync } from 'node:crypto';
import { signCertificate } from './sign-certificate.ts';

const HOUR_MS = 3_600_000;
const YEARS = 10;
const SUBJECT = 'warren';

export type MadeCertificate = { readonly cert: string; readonly key: string };

/** `names`: DNS names and addresses. */
export function makeCertificate(names: readonly string[], now: Date): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + YEARS);
  return {
    cert: signCertificate({
      subject: SUBJECT,
      names,
      from: new Date(now.getTime() - HOUR_MS), // Clocks that are a little behind believe it, too.
      until,
      publicKey,
      issuer: { name: SUBJECT, publicKey, privateKey },
    }),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, // PEM is text.
  };
}

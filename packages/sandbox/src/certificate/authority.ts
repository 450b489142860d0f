/**
 * An authority that lives in memory and vouches for hosts on the fly. Its key never leaves this object: it is on no disk, and whoever trusts the certificate
 * trusts nothing any more once the object is gone.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { signCertificate } from './sign-certificate.ts';

const HOUR_MS = 3_600_000;
/** Longer than any sandbox lives. */
const DAYS = 365;

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

export class Authority {
  /** As PEM. */
  readonly certificate: string;
  readonly #name: string;
  readonly #keys: Keys;
  readonly #from: Date;
  readonly #until: Date;
  /** Of all hosts: making a key takes longer than signing, and nobody but us has it either way. */
  #ofHosts: (Keys & { readonly pem: string }) | undefined;

  constructor(subject: string, now: Date) {
    this.#keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#from = new Date(now.getTime() - HOUR_MS);
    this.#until = new Date(now.getTime() + DAYS * 24 * HOUR_MS);
    this.#name = `${subject} ${randomBytes(4).toString('hex')}`; // Stores of certificates go by the name.
    this.certificate = signCertificate({
      subject: this.#name,
      names: [],
      from: this.#from,
      until: this.#until,
      publicKey: this.#keys.publicKey,
      issuer: { name: this.#name, ...this.#keys },
      isAuthority: true,
    });
  }

  /** For one host: a name, or an address without brackets. */
  issue(host: string): { readonly cert: string; readonly key: string } {
    this.#ofHosts ??= withPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    const cert = signCertificate({
      subject: host.slice(0, COMMON_NAME_MAX),
      names: [host],
      from: this.#from,
      until: this.#until,
      publicKey: this.#ofHosts.publicKey,
      issuer: { name: this.#name, ...this.#keys },
    });
    return { cert, key: this.#ofHosts.pem };
  }
}

/** RFC 5280, appendix A: `ub-common-name`. What counts are the names. */
const COMMON_NAME_MAX = 64;

function withPem(keys: Keys): Keys & { readonly pem: string } {
  return { ...keys, pem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }; // PEM is text.
}

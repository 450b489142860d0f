/** Writes a certificate (RFC 5280) and signs it: for servers on the names and addresses they are reached by, and for authorities that vouch for such. */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { ipv6Groups } from '@warren/protocol';
import {
  BIT_STRING,
  context,
  der,
  INTEGER,
  implicit,
  integer,
  OCTET_STRING,
  objectIdentifier,
  SEQUENCE,
  SET,
  TRUE,
  time,
  UTF8_STRING,
} from './der.ts';

export type CertificateTerms = {
  readonly subject: string;
  /** DNS names and addresses; of an authority none. */
  readonly names: readonly string[];
  readonly from: Date;
  readonly until: Date;
  readonly publicKey: KeyObject;
  /** Itself, when it vouches for itself. Keys are EC P-256. */
  readonly issuer: { readonly name: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** It may vouch for servers, and for no other authority. */
  readonly isAuthority?: boolean | undefined;
};

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** `digitalSignature`, of nine bits. */
const DIGITAL_SIGNATURE = Buffer.from([7, 0x80]);
/** `keyCertSign`. */
const CERTIFICATE_SIGN = Buffer.from([2, 0x04]);

/** As PEM. */
export function signCertificate(terms: CertificateTerms): string {
  const { subject, from, until, publicKey, issuer } = terms;
  const algorithm = der(SEQUENCE, objectIdentifier(ECDSA_WITH_SHA256));
  const body = der(
    SEQUENCE,
    context(0, integer(Buffer.from([2]))), // Version 3.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ...[algorithm, nameOf(issuer.name)],
    der(SEQUENCE, time(from), time(until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, extensionsOf(terms)),
  );
  const certificate = der(SEQUENCE, body, algorithm, bits(sign('sha256', body, issuer.privateKey)));
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

function extensionsOf({ names, publicKey, issuer, isAuthority }: CertificateTerms): Buffer {
  const identifiers = [
    extension(SUBJECT_KEY_IDENTIFIER, der(OCTET_STRING, identifierOf(publicKey))),
    extension(AUTHORITY_KEY_IDENTIFIER, der(SEQUENCE, implicit(0, identifierOf(issuer.publicKey)))),
  ];
  if (isAuthority === true)
    return der(
      SEQUENCE,
      extension(BASIC_CONSTRAINTS, der(SEQUENCE, TRUE, der(INTEGER, Buffer.from([0]))), true),
      extension(KEY_USAGE, der(BIT_STRING, CERTIFICATE_SIGN), true),
      ...identifiers,
    );
  return der(
    SEQUENCE,
    extension(BASIC_CONSTRAINTS, der(SEQUENCE), true),
    extension(KEY_USAGE, der(BIT_STRING, DIGITAL_SIGNATURE), true),
    extension(EXTENDED_KEY_USAGE, der(SEQUENCE, objectIdentifier(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names.map(alternative))),
    ...identifiers,
  );
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return der(SEQUENCE, objectIdentifier(id), ...(isCritical ? [TRUE] : []), der(OCTET_STRING, value));
}

function alternative(name: string): Buffer {
  if (isIP(name) === 0) return implicit(2, Buffer.from(name, 'ascii'));
  if (isIPv4(name)) return implicit(7, Buffer.from(name.split('.').map(Number)));
  return implicit(
    7,
    Buffer.from(
      ipv6Groups(name)
        .map((group) => group.padStart(4, '0'))
        .join(''),
      'hex',
    ),
  );
}

function nameOf(common: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, objectIdentifier(COMMON_NAME), der(UTF8_STRING, Buffer.from(common)))));
}

/** RFC 7093, 2: 160 bits of a hash of the key. */
function identifierOf(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

/** Whole bytes. */
function bits(bytes: Buffer): Buffer {
  return der(BIT_STRING, Buffer.from([0]), bytes);
}

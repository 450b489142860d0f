/** A certificate that vouches for itself: for one server on the names and addresses it is reached by, and for nothing else (RFC 5280). */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { ipv6Groups } from '../../internal/ipv6-groups.ts';
import {
  BIT_STRING,
  context,
  der,
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

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALT_NAME = '2.5.29.17';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const HOUR_MS = 3_600_000;
const YEARS = 10;
/** `digitalSignature`, of nine bits. */
const DIGITAL_SIGNATURE = Buffer.from([7, 0x80]);

export type MadeCertificate = { readonly cert: string; readonly key: string };

/** `names`: DNS names and addresses. */
export function makeCertificate(names: readonly string[], now: Date): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + YEARS);
  const algorithm = der(SEQUENCE, objectIdentifier(ECDSA_WITH_SHA256));
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, objectIdentifier(COMMON_NAME), der(UTF8_STRING, Buffer.from('warren')))));
  const body = der(
    SEQUENCE,
    context(0, integer(Buffer.from([2]))), // Version 3.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ...[algorithm, subject],
    // Clocks that are a little behind believe it, too.
    der(SEQUENCE, time(new Date(now.getTime() - HOUR_MS)), time(until)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, extensions(names)),
  );
  const certificate = der(SEQUENCE, body, algorithm, bits(signatureOf(body, privateKey)));
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, // PEM is text.
  };
}

function extensions(names: readonly string[]): Buffer {
  return der(
    SEQUENCE,
    extension(BASIC_CONSTRAINTS, der(SEQUENCE), true),
    extension(KEY_USAGE, der(BIT_STRING, DIGITAL_SIGNATURE), true),
    extension(EXTENDED_KEY_USAGE, der(SEQUENCE, objectIdentifier(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names.map(alternative))),
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

function signatureOf(body: Buffer, key: KeyObject): Buffer {
  return sign('sha256', body, key);
}

/** Whole bytes. */
function bits(bytes: Buffer): Buffer {
  return der(BIT_STRING, Buffer.from([0]), bytes);
}

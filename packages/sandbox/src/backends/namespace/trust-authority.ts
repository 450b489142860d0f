/** Has the commands of a sandbox trust one more authority, and nothing else that they would not trust anyway. */
import { readFile, realpath } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';

/** Inside, where only what runs there can change them: to its own loss. All that it trusts, and ours alone for programs that add it to what they have. */
const BUNDLE = '/run/ca-certificates.crt';
const OURS = '/run/warren-ca.crt';
/** Of this machine, whose tools the sandbox has: Debian and its kin, Fedora and its kin, openSUSE, Alpine and OpenSSL itself. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
/** Without what is written between them. */
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Where programs look: OpenSSL (Python, Ruby, Go), curl, requests, Node, git, pip, npm, the AWS tools, cargo, Deno, gRPC. */
export const TRUST_ENVIRONMENT: Readonly<Record<string, string>> = {
  SSL_CERT_FILE: BUNDLE,
  CURL_CA_BUNDLE: BUNDLE,
  REQUESTS_CA_BUNDLE: BUNDLE,
  NODE_EXTRA_CA_CERTS: OURS,
  GIT_SSL_CAINFO: BUNDLE,
  PIP_CERT: BUNDLE,
  npm_config_cafile: BUNDLE,
  AWS_CA_BUNDLE: BUNDLE,
  CARGO_HTTP_CAINFO: BUNDLE,
  DENO_CERT: OURS,
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: BUNDLE,
};

/** `certificate` as PEM. What looks where the machine keeps its authorities, and asks no variable, finds the same there: wget and whatever else is built with GnuTLS. */
export async function trustFlags(certificate: string): Promise<readonly string[]> {
  const system = await systemBundle();
  const all = [...(system.content.match(CERTIFICATES) ?? []), certificate].join('\n');
  return [
    ...['--file', OURS.slice(1), '644', certificate],
    ...['--file', BUNDLE.slice(1), '644', all],
    ...system.places.flatMap((place) => ['--cover', BUNDLE.slice(1), place.slice(1)]),
  ];
}

/** Other connections of the sandbox go to hosts directly, and those have certificates of these. `places`: without links. */
async function systemBundle(): Promise<{ readonly content: string; readonly places: readonly string[] }> {
  const places = new Set<string>();
  for (const path of SYSTEM_BUNDLES) {
    try {
      places.add(await realpath(path));
    } catch {
      // The next; a machine without any has no tools that would look there.
    }
  }
  const [first] = places;
  return { content: first === undefined ? rootCertificates.join('\n') : await readFile(first, 'utf8'), places: [...places] };
}

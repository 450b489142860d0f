/** Has the commands of a sandbox trust one more authority, and nothing else that they would not trust anyway. */
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import type { Guest } from '../../guest/guest.ts';

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

/** Where programs look: OpenSSL (Python, Ruby, Go, wget), curl, requests, Node, git, pip, npm, the AWS tools, cargo, Deno, gRPC. */
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

/** Before any command is started. `certificate` as PEM. */
export async function trustAuthority(guest: Guest, certificate: string, signal: AbortSignal | undefined): Promise<void> {
  const options = { mode: 0o644, ...(signal === undefined ? {} : { signal }) };
  const write = (path: string, content: string): Promise<void> => guest.writeFile(path, content, options);
  await Promise.all([write(OURS, certificate), write(BUNDLE, `${await systemBundle()}\n${certificate}`)]);
}

/** Other connections of the sandbox go to hosts directly, and those have certificates of these. */
async function systemBundle(): Promise<string> {
  for (const path of SYSTEM_BUNDLES) {
    try {
      return await readFile(path, 'utf8');
    } catch {
      // The next; a machine without any has no tools that would look there.
    }
  }
  return rootCertificates.join('\n');
}

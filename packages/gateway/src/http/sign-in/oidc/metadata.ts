/** What an issuer says about itself (OpenID Connect Discovery 1.0), as far as we believe it: its endpoints are on its own hosts, and nowhere else. */
import type { OidcProviderConfig } from '@warren/platform';
import { askIssuer, unreachable } from './ask-issuer.ts';

export type IssuerMetadata = {
  readonly authorization: string;
  readonly token: string;
  readonly keys: string;
  /** It names itself in what the browser brings back (RFC 9207). */
  readonly isNamedInAnswers: boolean;
  /** How a client with a secret says who it is; the header, unless only the body is understood. */
  readonly isSecretInBody: boolean;
};

export async function readMetadata(config: OidcProviderConfig, signal: AbortSignal): Promise<IssuerMetadata> {
  const { name, issuer } = config;
  const { status, document } = await askIssuer(name, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {}, signal);
  if (status !== 200) throw unreachable(name, `${new URL(issuer).host} answers ${status} when it is asked about itself`);
  if (document['issuer'] !== issuer) throw unreachable(name, `what answers for ${issuer} says that it is another issuer`);
  const methods = document['token_endpoint_auth_methods_supported'];
  return {
    authorization: endpointOf(config, document, 'authorization_endpoint'),
    token: endpointOf(config, document, 'token_endpoint'),
    keys: endpointOf(config, document, 'jwks_uri'),
    isNamedInAnswers: document['authorization_response_iss_parameter_supported'] === true,
    isSecretInBody: Array.isArray(methods) && methods.includes('client_secret_post') && !methods.includes('client_secret_basic'),
  };
}

function endpointOf({ name, issuer, hosts }: OidcProviderConfig, document: Readonly<Record<string, unknown>>, key: string): string {
  const text = document[key];
  const url = typeof text === 'string' && text.length <= 2_048 ? URL.parse(text) : null;
  const own = new URL(issuer);
  if (url === null || url.protocol !== own.protocol || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw unreachable(name, `its ${key} is no address that can be used`);
  }
  if (url.host === own.host || hosts.includes(url.host)) return url.href;
  throw unreachable(name, `its ${key} is on ${url.host}, which is not among the hosts of the provider in config.yaml`);
}

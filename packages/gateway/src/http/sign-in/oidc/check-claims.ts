/** What the operator wants an issuer to say about somebody before they may come in. */
import type { OidcProviderConfig } from '@warren/platform';

export type Claims = Readonly<Record<string, unknown>>;

/** What is missing; undefined when all of it is there. A mail address counts only when the issuer says that it verified it. */
export function checkClaims(
  claims: Claims,
  { require, email_domains: domains }: Pick<OidcProviderConfig, 'require' | 'email_domains'>,
): string | undefined {
  for (const [name, wanted] of Object.entries(require)) {
    const said = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const all: readonly unknown[] = Array.isArray(said) ? said : [said];
    const any: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (!all.some((each) => any.includes(each))) return `the claim ${name} is not what it has to be`;
  }
  if (domains === undefined) return undefined;
  const { email, email_verified: isVerified } = claims;
  const domain = typeof email === 'string' && isVerified === true ? email.slice(email.lastIndexOf('@') + 1).toLowerCase() : undefined;
  return domain !== undefined && domains.includes(domain) ? undefined : 'it has no verified mail address of a domain that may come in';
}

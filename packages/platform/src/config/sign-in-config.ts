/** Providers of OpenID Connect that people may sign in through. Whom somebody is here, is said by issuer and subject at the person, not in this file. */
import { isLoopback } from '@warren/protocol';
import { z } from 'zod';
import { CONFIG_DEFAULT } from './config-default.ts';

const PROVIDERS_MAX = 8;
const CLAIMS_MAX = 16;

/** Secrets and identities travel there: in plain text only on this machine. */
const issuer = z
  .url({ protocol: /^https?$/ })
  .max(512)
  .refine((text) => isPlainIssuer(new URL(text)), { error: 'is no https address without query, fragment and user' });

const origin = z
  .url({ protocol: /^https?$/ })
  .max(512)
  .refine((text) => new URL(text).origin === text, { error: 'is not https://NAME or https://NAME:PORT and nothing more' });

const host = z.string().regex(/^[a-z0-9.-]{1,253}(?::\d{1,5})?$/, { error: 'is not NAME or NAME:PORT, in lower case' });
const claim = z.union([z.string().min(1).max(256), z.boolean(), z.array(z.string().min(1).max(256)).min(1).max(100)]);

const provider = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'is not 1 to 63 of a-z, 0-9 and inner hyphens' }),
  issuer,
  client_id: z.string().min(1).max(256),
  client_secret_file: z.string().min(1).max(4_096).optional(),
  /** Other hosts of the issuer: where it has its keys or its tokens. */
  hosts: z.array(host).max(16).default([]),
  /** By which of our own origins people may come back; without it by each. */
  redirect_origins: z.array(origin).min(1).max(16).optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/))
    .max(16)
    .default([]),
  /** What the issuer has to say about somebody: this, or one of these. */
  require: z
    .record(z.string().min(1).max(128), claim)
    .refine((claims) => Object.keys(claims).length <= CLAIMS_MAX, { error: `has more than ${CLAIMS_MAX} claims` })
    .default({}),
  /** Of mail addresses that the issuer has verified. */
  email_domains: z
    .array(z.string().regex(/^[a-z0-9.-]{1,253}$/))
    .min(1)
    .max(100)
    .optional(),
});

export const signInConfig = z
  .strictObject({
    providers: z
      .array(provider)
      .max(PROVIDERS_MAX)
      .superRefine((all, context) => {
        for (const key of ['name', 'issuer'] as const) {
          const taken = new Set<string>();
          for (const [index, each] of all.entries()) {
            if (taken.has(each[key]))
              context.addIssue({ code: 'custom', path: [index, key], message: `${JSON.stringify(each[key])} is taken by another` });
            taken.add(each[key]);
          }
        }
      })
      .default([]),
  })
  .default(CONFIG_DEFAULT.sign_in);

export type SignInConfig = z.output<typeof signInConfig>;
export type OidcProviderConfig = SignInConfig['providers'][number];

function isPlainIssuer({ protocol, hostname, username, password, search, hash }: URL): boolean {
  return (protocol === 'https:' || isLoopback(hostname)) && [username, password, search, hash].every((part) => part === '');
}

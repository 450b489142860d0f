/** What `config.yaml` may say, as a schema. It is loaded when there is such a file. */
import { z } from 'zod';
import type { EmbeddingProvider } from '../memory/embedding/embedding-wire.ts';
import { PROVIDERS, type ProviderName } from '../model/provider/providers.ts';
import { duration } from '../policy/policy-document.ts';
import { vaultConfig } from '../vault/vault-key-config.ts';
import { CONFIG_DEFAULT, NOTICES } from './config-default.ts';
import { signInConfig } from './sign-in-config.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'is not 1 to 63 of a-z, 0-9 and inner hyphens' });
const path = z.string().min(1).max(4_096);
const httpUrl = z.url({ protocol: /^https?$/ }).max(2_048);
const TARGETS_MAX = 32;
/** As many as the kernel anchors at. */
const ANCHORS_MAX = 16;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const HOLD_MS_MAX = 3_600_000;
const EMBEDDING_PROVIDERS = [
  'openai',
  'gemini',
  'voyage',
  'mistral',
  'ollama',
  'compatible',
] as const satisfies readonly EmbeddingProvider[];
const YEARS_MS = 100 * 365 * DAY_MS;

const notices = z.array(z.enum(NOTICES)).min(1).default(['approval.requested', 'approval.escalated', 'approval.decided', 'alert.sent']);

const secretName = z.string().min(1).max(256);
const KEYS_MAX = 64;
const some = (each: z.ZodString) => z.union([each.transform((one) => [one]), z.array(each).min(1).max(KEYS_MAX)]);
const modelName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/[\w.:@/+-]{1,200}$/, { error: 'is not provider/model' });

const modelProvider = z
  .strictObject({
    name,
    /** In which format it is spoken to. Default: as it is named. */
    kind: z.enum(Object.keys(PROVIDERS) as [ProviderName, ...ProviderName[]]).optional(), // They are its keys.
    url: httpUrl.optional(),
    /** Keys: in files, or secrets of the default workspace that are bound to the host of the provider for `model.ask`. Default: those of the environment. */
    secret: some(secretName).optional(),
    key_file: some(path).optional(),
    default_model: z.string().min(1).max(200).optional(),
  })
  .refine((given) => given.secret === undefined || given.key_file === undefined, { error: 'has both secret and key_file' });

const webhook = z
  .strictObject({
    name,
    url: httpUrl,
    /** The key that requests are signed with: in a file, or a secret of the default workspace that is bound to the host of the address for `notify.webhook`. */
    secret_file: path.optional(),
    secret: secretName.optional(),
    notices,
  })
  .refine((given) => (given.secret === undefined) !== (given.secret_file === undefined), {
    error: 'has not one of secret and secret_file',
  });

const mail = z.strictObject({
  name,
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(587),
  /** From the first byte; otherwise STARTTLS is asked for, and with a user it is demanded. */
  tls: z.boolean().default(false),
  user: z.string().max(256).optional(),
  password_file: path.optional(),
  from: z.string().min(3).max(320),
  to: z.array(z.string().min(3).max(320)).min(1).max(100),
  notices,
});

const anchor = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path }),
  z.strictObject({ kind: z.literal('webhook'), url: httpUrl, secret_file: path }),
  z.strictObject({ kind: z.literal('git'), directory: path }),
]);

/** What a target remembers stands under its name. */
function refuseTaken(list: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const taken = new Set<string>();
  for (const [index, { name: each }] of list.entries()) {
    if (taken.has(each))
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `${JSON.stringify(each)} is taken by another` });
    taken.add(each);
  }
}

const targets = <Target extends z.ZodType<{ readonly name: string }>>(target: Target) =>
  z.array(target).max(TARGETS_MAX).superRefine(refuseTaken).default([]);

export const configFormat = z.strictObject({
  notify: z.strictObject({ webhooks: targets(webhook), mail: targets(mail) }).default(CONFIG_DEFAULT.notify),
  audit: z
    .strictObject({
      retention: duration
        .refine((ms) => ms >= DAY_MS, { error: 'is shorter than 1d' })
        .refine((ms) => ms <= YEARS_MS, { error: 'is longer than 36500d' })
        .default(CONFIG_DEFAULT.audit.retention),
      anchor_every: duration
        .refine((ms) => ms >= SECOND_MS, { error: 'is shorter than 1s' })
        .refine((ms) => ms <= YEARS_MS, { error: 'is longer than 36500d' })
        .default(CONFIG_DEFAULT.audit.anchor_every),
      anchors: z.array(anchor).max(ANCHORS_MAX).default([]),
    })
    .default(CONFIG_DEFAULT.audit),
  mcp: z
    .strictObject({
      /** How long a call that a person has to approve is held before its client is told to ask later. Clients give up after a minute unless they are told otherwise. */
      approval_hold: duration.refine((ms) => ms <= HOLD_MS_MAX, { error: 'is longer than 1h' }).default(CONFIG_DEFAULT.mcp.approval_hold),
    })
    .default(CONFIG_DEFAULT.mcp),
  egress: z
    .strictObject({
      private_networks: z.array(z.string().min(1).max(64)).max(1_000).default([]),
      /** Authorities that hosts may have their certificates of, besides those that everybody trusts. */
      ca_file: path.optional(),
    })
    .default(CONFIG_DEFAULT.egress),
  memory: z
    .strictObject({
      /** Absent: memories are found by their words. */
      embedding: z
        .strictObject({
          provider: z.enum(EMBEDDING_PROVIDERS),
          model: z.string().min(1).max(256).optional(),
          url: httpUrl.optional(),
          /** In a file, or a secret of the default workspace that is bound to the host of the provider for `memory.embedding`. */
          key_file: path.optional(),
          secret: secretName.optional(),
        })
        .refine((given) => given.secret === undefined || given.key_file === undefined, { error: 'has both secret and key_file' })
        .optional(),
    })
    .default(CONFIG_DEFAULT.memory),
  models: z
    .strictObject({
      /** Who answers when nobody is named; of several, the first that can. */
      default: some(modelName).default(CONFIG_DEFAULT.models.default),
      providers: targets(modelProvider),
      /** A folder of scripts. */
      scripts: path.optional(),
    })
    .default(CONFIG_DEFAULT.models),
  vault: vaultConfig.default(CONFIG_DEFAULT.vault),
  sign_in: signInConfig,
});

export type Config = z.output<typeof configFormat>;
export type WebhookConfig = Config['notify']['webhooks'][number];
export type MailConfig = Config['notify']['mail'][number];

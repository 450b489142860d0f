/** What an operator sets in `<state>/config.yaml`. Without the file everything has its default. Secrets stand in files of their own, named here. */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { z } from 'zod';
import { duration } from '../policy/policy-document.ts';
import { readYaml } from '../policy/read-yaml.ts';
import { sayProblem } from '../policy/say-problem.ts';
import { signInConfig } from './sign-in-config.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'is not 1 to 63 of a-z, 0-9 and inner hyphens' });
const path = z.string().min(1).max(4_096);
const httpUrl = z.url({ protocol: /^https?$/ }).max(2_048);
const TARGETS_MAX = 32;
/** As many as the kernel anchors at. */
const ANCHORS_MAX = 16;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const APPROVAL_HOLD_MS = 45_000;
const HOLD_MS_MAX = 3_600_000;
const YEARS_MS = 100 * 365 * DAY_MS;

/** What people can be told of. */
export const NOTICES = ['approval.requested', 'approval.escalated', 'approval.decided', 'alert.sent', 'call.notified'] as const;
export type NoticeKind = (typeof NOTICES)[number];

const notices = z.array(z.enum(NOTICES)).min(1).default(['approval.requested', 'approval.escalated', 'approval.decided', 'alert.sent']);

const webhook = z.strictObject({
  name,
  url: httpUrl,
  /** A file with the key that requests are signed with. */
  secret_file: path,
  notices,
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

const config = z.strictObject({
  notify: z.strictObject({ webhooks: targets(webhook), mail: targets(mail) }).default({ webhooks: [], mail: [] }),
  audit: z
    .strictObject({
      retention: duration
        .refine((ms) => ms >= DAY_MS, { error: 'is shorter than 1d' })
        .refine((ms) => ms <= YEARS_MS, { error: 'is longer than 36500d' })
        .default(90 * DAY_MS),
      anchor_every: duration
        .refine((ms) => ms >= SECOND_MS, { error: 'is shorter than 1s' })
        .refine((ms) => ms <= YEARS_MS, { error: 'is longer than 36500d' })
        .default(3_600_000),
      anchors: z.array(anchor).max(ANCHORS_MAX).default([]),
    })
    .default({ retention: 90 * DAY_MS, anchor_every: 3_600_000, anchors: [] }),
  mcp: z
    .strictObject({
      /** How long a call that a person has to approve is held before its client is told to ask later. Clients give up after a minute unless they are told otherwise. */
      approval_hold: duration.refine((ms) => ms <= HOLD_MS_MAX, { error: 'is longer than 1h' }).default(APPROVAL_HOLD_MS),
    })
    .default({ approval_hold: APPROVAL_HOLD_MS }),
  egress: z.strictObject({ private_networks: z.array(z.string().min(1).max(64)).max(1_000).default([]) }).default({ private_networks: [] }),
  sign_in: signInConfig,
});

export type Config = z.output<typeof config>;
export type WebhookConfig = Config['notify']['webhooks'][number];
export type MailConfig = Config['notify']['mail'][number];

export const CONFIG_FILE = 'config.yaml';

/** Paths in it are relative to the state directory. Faults: `invalid_argument`, which names each mistake with its line. */
export async function readConfig(directory: string): Promise<Config> {
  return (await loadConfig(directory)).config;
}

/** The same, and SHA-256 of the file; of nothing when there is none. */
export async function loadConfig(directory: string): Promise<{ readonly config: Config; readonly hash: string }> {
  const file = join(directory, CONFIG_FILE);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Fault('invalid_argument', `Cannot use ${file}: it cannot be read (${error.code})`, { cause: error, details: { path: file } });
  });
  const { value, problems } = readYaml(content, CONFIG_FILE, config, { isEmptyAllowed: true });
  if (value === undefined) {
    throw new Fault('invalid_argument', `Cannot use ${file}: ${problems.map(sayProblem).join('; ')}`, {
      details: { path: file, start: 'config' },
    });
  }
  return { config: withPaths(value, dirname(file)), hash: hash('sha256', content) };
}

function withPaths(value: Config, directory: string): Config {
  const at = (given: string): string => resolve(directory, given);
  const { notify, audit, sign_in: signIn } = value;
  return {
    ...value,
    sign_in: {
      providers: signIn.providers.map((each) =>
        each.client_secret_file === undefined ? each : { ...each, client_secret_file: at(each.client_secret_file) },
      ),
    },
    notify: {
      webhooks: notify.webhooks.map((each) => ({ ...each, secret_file: at(each.secret_file) })),
      mail: notify.mail.map((each) => (each.password_file === undefined ? each : { ...each, password_file: at(each.password_file) })),
    },
    audit: {
      ...audit,
      anchors: audit.anchors.map((each) => {
        if (each.kind === 'file') return { ...each, path: at(each.path) };
        if (each.kind === 'git') return { ...each, directory: at(each.directory) };
        return { ...each, secret_file: at(each.secret_file) };
      }),
    },
  };
}

/** What `hooks.yaml` may say, as a schema. It is loaded when there is such a file. */
import { WORKSPACE_ID_PATTERN } from '@warren/protocol';
import { z } from 'zod';
import { duration } from '../policy/policy-document.ts';
import { HOOK_POINTS } from './hook-points.ts';

const HOOKS_MAX = 200;
const TIMEOUT_MS_MAX = 300_000;
const MIB = 1_048_576;

const path = z.string().min(1).max(4_096);
const absolute = path.startsWith('/', { error: 'is not absolute' });
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'is not the name of a variable' });
const value = z
  .string()
  .max(8_192)
  .refine((text) => !text.includes('\0'), { error: 'has a NUL character' });
const point = z.enum(HOOK_POINTS);

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'is not 1 to 63 of a-z, 0-9 and inner hyphens' }),
  on: z.union([point.transform((one) => [one]), z.array(point).min(1).max(HOOK_POINTS.length)]),
  /** Absent: of all. */
  workspaces: z
    .array(z.string().regex(new RegExp(WORKSPACE_ID_PATTERN), { error: 'is not the name of a workspace' }))
    .min(1)
    .max(1_000)
    .optional(),
  /** Absent: all. */
  capabilities: z
    .array(
      z.string().regex(/^(?:\*|[a-z0-9_]+(?:\.[a-z0-9_]+)*(?:\.\*)?)$/, { error: 'is neither the name of a capability, category.* nor *' }),
    )
    .min(1)
    .max(100)
    .optional(),
  priority: z.int().min(-1_000).max(1_000).default(0),
  timeout: duration.refine((ms) => ms >= 1 && ms <= TIMEOUT_MS_MAX, { error: 'is not between 1ms and 5m' }).default(10_000),
};

const command = z.strictObject({
  ...common,
  command: z.array(value.min(1)).min(1).max(64),
  cwd: absolute.optional(),
  env: z.record(environmentName, value).default({}),
  env_files: z.record(environmentName, path).default({}),
  mounts: z
    .array(z.strictObject({ source: path, target: absolute, writable: z.boolean().default(false) }))
    .max(32)
    .default([]),
  memory_bytes: z
    .int()
    .min(16 * MIB)
    .max(4_096 * MIB)
    .default(256 * MIB),
});

const webhook = z.strictObject({
  ...common,
  webhook: z.url({ protocol: /^https?$/ }).max(2_048),
  /** A file with the key that requests are signed with. */
  secret_file: path,
});

export const hookFileFormat = z.strictObject({
  hooks: z
    .array(z.union([command, webhook]))
    .max(HOOKS_MAX)
    .superRefine(refuseTaken)
    .default([]),
});

export type CommandHook = z.output<typeof command>;
export type WebhookHook = z.output<typeof webhook>;
export type FileHook = CommandHook | WebhookHook;

function refuseTaken(list: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const taken = new Set<string>();
  for (const [index, { name }] of list.entries()) {
    if (taken.has(name))
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `${JSON.stringify(name)} is taken by another` });
    taken.add(name);
  }
}

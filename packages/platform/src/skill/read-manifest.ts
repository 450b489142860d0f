/** What a skill says of itself: the front matter of its SKILL.md, as Agent Skills have it, and what Warren adds under `warren`. */
import { parseGrantSet } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import { z } from 'zod';
import { explainIssue } from '../capability/explain-issue.ts';
import { readYaml } from '../capability/yaml-file.ts';
import { SKILL_FILE, type SkillManifest } from './skill.ts';
import { isSkillVariable } from './skill-environment.ts';

export const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_SECONDS_MAX = 600;
const MIB = 1_048_576;
const MEMORY_DEFAULT = 256 * MIB;
/** 10 MB. */
const OUTPUT_BYTES_DEFAULT = 10 * MIB;
const OUTPUT_BYTES_MAX = 64 * MIB;
const SHOWN_PROBLEMS_MAX = 10;

const inside = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (path) => /^[^/\\\u0000-\u001f][^\\\u0000-\u001f]*$/.test(path) && path.split('/').every((part) => !['', '.', '..'].includes(part)),
    {
      error: 'is not a path of files that lie below',
    },
  );

const words = z
  .string()
  .min(1)
  .max(1_000)
  .refine((word) => !word.includes('\0'), { error: 'has a NUL character' });

const ours = z.strictObject({
  executable: z.union([inside, z.array(words).min(1).max(32)]).optional(),
  secrets: z
    .record(z.string(), z.string().min(1).max(256))
    .refine((secrets) => Object.keys(secrets).length <= 32, { error: 'are more than 32' })
    .optional(),
  hosts: z.array(z.string().min(1).max(255)).max(64).optional(),
  mounts: z
    .array(z.strictObject({ path: inside, writable: z.boolean().optional() }))
    .max(16)
    .optional(),
  timeout_seconds: z.number().min(0.1).max(TIMEOUT_SECONDS_MAX).optional(),
  memory_bytes: z
    .number()
    .int()
    .min(16 * MIB)
    .max(4_096 * MIB)
    .optional(),
  output_bytes: z.number().int().min(1_024).max(OUTPUT_BYTES_MAX).optional(),
});

/** Fields of others are left alone: more of them come with every client. */
const format = z.object({
  name: z.string().min(1).max(128),
  description: z.string().trim().min(1).max(1_024),
  license: z.string().max(500).optional(),
  compatibility: z.string().max(500).optional(),
  metadata: z.record(z.string().max(128), z.union([z.string().max(1_024), z.number(), z.boolean()])).optional(),
  'allowed-tools': z.union([z.string().max(4_096), z.array(z.string().max(256)).max(256)]).optional(),
  warren: ours.optional(),
});

export type ReadSkillManifest =
  | { readonly kind: 'read'; readonly manifest: SkillManifest; readonly instructions: string }
  | { readonly kind: 'refused'; readonly description: string; readonly instructions: string; readonly problems: readonly string[] };

export function readSkillManifest(id: string, text: string): ReadSkillManifest {
  const parts = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text);
  const instructions = (parts?.[2] ?? text).trim();
  const refuse = (...problems: readonly string[]): ReadSkillManifest => ({
    kind: 'refused',
    description: firstWords(instructions),
    instructions,
    problems: problems.slice(0, SHOWN_PROBLEMS_MAX),
  });
  const front = parts?.[1];
  if (front === undefined) return refuse(withoutFrontMatter(id, instructions));
  const yaml = readYaml(SKILL_FILE, front);
  if (yaml.kind === 'refused') return refuse(...yaml.problems.map(({ line, reason }) => sayAt((line ?? 0) + 1, '', reason)));
  const checked = format.safeParse(yaml.value ?? {});
  if (!checked.success) {
    const knownAt = (path: readonly PropertyKey[]): readonly string[] => Object.keys(path[0] === 'warren' ? ours.shape : format.shape);
    return refuse(
      ...checked.error.issues.flatMap((issue) =>
        explainIssue(issue, knownAt, yaml.value).map(({ path, reason }) => sayAt((yaml.lineOf(path) ?? 0) + 1, path.join('.'), reason)),
      ),
    );
  }
  const { name, description, license, compatibility, metadata = {}, 'allowed-tools': tools = [], warren = {} } = checked.data;
  const {
    executable,
    secrets = {},
    hosts = [],
    mounts = [],
    timeout_seconds: seconds,
    memory_bytes: memory,
    output_bytes: output,
  } = warren;
  if (name !== id)
    return refuse(`${SKILL_FILE}: name is ${JSON.stringify(name)}, and its folder is named ${JSON.stringify(id)}; give both the same`);
  const variable = Object.keys(secrets).find((each) => !isSkillVariable(each));
  if (variable !== undefined)
    return refuse(
      `${SKILL_FILE}: warren.secrets: ${JSON.stringify(variable)} cannot be set; it is no name of a variable, or one that changes what a program is`,
    );
  const parsed = parseHosts(hosts);
  if (typeof parsed === 'string') return refuse(`${SKILL_FILE}: warren.hosts: ${parsed}`);
  return {
    kind: 'read',
    instructions,
    manifest: {
      ...{ id, description, license, compatibility, secrets, hosts: parsed },
      metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
      allowedTools: typeof tools === 'string' ? tools.split(/[\s,]+/).filter((tool) => tool !== '') : tools,
      executable: typeof executable === 'string' ? [executable] : executable,
      mounts: mounts.map(({ path, writable = false }) => ({ path, isWritable: writable })),
      timeoutMs: seconds === undefined ? TIMEOUT_MS_DEFAULT : Math.round(seconds * 1_000),
      memoryBytes: memory ?? MEMORY_DEFAULT,
      outputBytesMax: output ?? OUTPUT_BYTES_DEFAULT,
    },
  };
}

function withoutFrontMatter(id: string, instructions: string): string {
  const description = JSON.stringify(firstWords(instructions) || 'What it is good for, and when to use it');
  return `${SKILL_FILE} has no front matter; begin it with\n---\nname: ${id}\ndescription: ${description}\n---`;
}

/** What an earlier system showed: the first line that is no heading. */
function firstWords(text: string): string {
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.startsWith('#'));
  return (line ?? '').trim().slice(0, 200).toWellFormed();
}

function parseHosts(hosts: readonly string[]): readonly string[] | string {
  try {
    return parseGrantSet({ hosts }).hosts;
  } catch (error) {
    if (isFault(error, 'grant_invalid')) return error.message;
    throw error;
  }
}

function sayAt(line: number, field: string, reason: string): string {
  return `${SKILL_FILE}:${line}: ${field === '' ? '' : `${field} `}${reason}`;
}

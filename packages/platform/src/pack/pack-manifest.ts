/** What a pack says of itself, in `pack.yaml`. */
import { Fault } from '@warren/protocol';
import { z } from 'zod';
import type { Problem } from '../capability/definition.ts';
import { explainIssue } from '../capability/explain-issue.ts';
import { readYaml } from '../capability/yaml-file.ts';

export type PackManifest = {
  /** Its capabilities are named `NAME.…`. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly author: string;
  /** Folder of its definitions within the pack. */
  readonly definitions: string;
  /** What is run for each call; a program of the pack is named with a slash, as `./run.py`. */
  readonly executable: readonly string[];
  readonly memoryBytes: number;
};

export const MANIFEST_FILE = 'pack.yaml';
const MIB = 1_048_576;
const MEMORY_DEFAULT = 256 * MIB;

const inside = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !text.startsWith('/') && !text.split('/').includes('..') && !/[\u0000-\u001f\\]/.test(text), {
    error: 'is not a path within the pack',
  });

const format = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, { error: 'is not a name of small letters, digits and _, as weather' }),
  version: z.string().regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,64})?$/, { error: 'is not a version; give it as "1.0.0"' }),
  description: z.string().max(1_000).optional(),
  author: z.string().max(200).optional(),
  definitions: inside.optional(),
  executable: z
    .array(
      z
        .string()
        .min(1)
        .max(1_000)
        .refine((text) => !text.includes('\0'), { error: 'has a NUL character' }),
    )
    .min(1)
    .max(32)
    .refine(([program]) => program !== undefined && !program.startsWith('/') && !program.split('/').includes('..'), {
      error: 'is not a program of the pack, as ./run.py, or of the system, as python3',
    }),
  memory_bytes: z
    .number()
    .int()
    .min(16 * MIB)
    .max(1_024 * MIB)
    .optional(),
});

export type ReadManifest =
  | { readonly kind: 'read'; readonly manifest: PackManifest }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

export function readManifest(file: string, text: string): ReadManifest {
  const yaml = readYaml(file, text);
  if (yaml.kind === 'refused') return yaml;
  const checked = format.safeParse(yaml.value);
  if (checked.success) {
    const { memory_bytes, definitions = 'definitions', description = '', author = '', ...rest } = checked.data;
    return { kind: 'read', manifest: { ...rest, definitions, description, author, memoryBytes: memory_bytes ?? MEMORY_DEFAULT } };
  }
  const problems = checked.error.issues.flatMap((issue) =>
    explainIssue(issue, () => Object.keys(format.shape), yaml.value).map(
      ({ path, reason }): Problem => ({ severity: 'error', file, line: yaml.lineOf(path), field: path.join('.'), reason }),
    ),
  );
  return { kind: 'refused', problems };
}

/** Throws `invalid_argument` with all of them. */
export function refusePack(name: string, reasons: readonly string[]): never {
  throw new Fault('invalid_argument', `Cannot install the pack${name === '' ? '' : ` ${name}`}: ${reasons.join('\n')}`);
}

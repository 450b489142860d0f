/** Policies to begin with. A file takes one over with `extends: NAME` and says what is different. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetDirectory } from '../internal/asset-directory.ts';

export const TEMPLATES = ['personal-permissive', 'team-moderate', 'enterprise-restrictive'] as const;
export type TemplateName = (typeof TEMPLATES)[number];

const read = new Map<string, string>();

/** Undefined when there is no such template. */
export function templateText(name: string): string | undefined {
  if (!TEMPLATES.some((each) => each === name)) return undefined;
  const known = read.get(name) ?? readFileSync(join(assetDirectory('policies'), `${name}.yaml`), 'utf8');
  read.set(name, known);
  return known;
}

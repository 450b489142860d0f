/**
 * The definitions that ship. Reading them from YAML takes longer than a whole start may, so the bundle holds what was read from them when it was made, as JSON.
 * From source the same JSON is made on the spot: either way a process has what `readBuilt` makes of it, and what the YAML means is said in `loadDefinitions` alone.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { assetDirectory } from '../internal/asset-directory.ts';
import type { Definition, ErrorDefinition } from './definition.ts';
import type { DefinitionSet, DefinitionText } from './load-definitions.ts';
import { problemText } from './problem-text.ts';

/** Beside where the YAML would stand. */
export const BUILT_FILE = 'built.json';

type Built = { readonly definitions: readonly Definition[]; readonly sharedErrors: readonly ErrorDefinition[] };

let shipped: Promise<DefinitionSet> | undefined;

/** Faults: `invalid_argument` when those of a source tree have mistakes; the message holds all of them. */
export function shippedDefinitions(): Promise<DefinitionSet> {
  shipped ??= readShipped();
  return shipped;
}

async function readShipped(): Promise<DefinitionSet> {
  const folder = assetDirectory('definitions');
  const built = await readFile(join(folder, BUILT_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined; // A source tree.
    throw error;
  });
  if (built !== undefined) return readBuilt(built);
  const { readDefinitionTexts } = await import('./load-definitions.ts');
  return readBuilt(await buildDefinitions(await readDefinitionTexts(folder)));
}

/** What `readBuilt` reads. Faults: `invalid_argument`; what ships has no mistakes, so nobody has to ask for their lines later. */
export async function buildDefinitions(texts: readonly DefinitionText[]): Promise<string> {
  const { loadDefinitions } = await import('./load-definitions.ts');
  const { definitions, sharedErrors, problems } = loadDefinitions(texts);
  if (problems.length > 0) {
    const mistakes = problems.map(problemText).join('\n');
    throw new Fault('invalid_argument', `Cannot use the definitions that ship: ${problems.length} mistakes\n${mistakes}`);
  }
  return JSON.stringify({ definitions: [...definitions.values()], sharedErrors: [...sharedErrors.values()] } satisfies Built);
}

export function readBuilt(text: string): DefinitionSet {
  const { definitions, sharedErrors } = JSON.parse(text) as Built; // It ships with this code, and was written by the function above.
  return {
    definitions: new Map(definitions.map((definition) => [definition.name, definition])),
    sharedErrors: new Map(sharedErrors.map((error) => [error.type, error])),
    problems: [],
  };
}

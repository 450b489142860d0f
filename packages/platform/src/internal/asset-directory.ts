/** Files that ship beside the code: in the package of the source, in `assets` beside the bundle. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LEVELS_MAX = 6;

export function assetDirectory(name: 'definitions' | 'policies' | 'grammars' | 'threads'): string {
  let directory = import.meta.dirname;
  for (let level = 0; level < LEVELS_MAX; level++) {
    for (const candidate of [join(directory, 'assets', name), join(directory, name)]) if (existsSync(candidate)) return candidate;
    directory = dirname(directory);
  }
  throw new Error(`The directory ${name} that ships with Warren is missing: install Warren again`);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Folders that are made, not written. */
const MADE = new Set(['node_modules', 'build', 'dist', '.git', 'prebuilds']);

/** Every file somebody wrote, as paths from the root with forward slashes. */
export function sourceFiles(folder = ''): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !MADE.has(entry.name) && !/^dist\.\d+$/.test(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourceFiles(path);
      return entry.isFile() ? [path] : [];
    })
    .toSorted();
}

/** The tree that `checkBoundaries` judges. */
export function readTree(): ReadonlyMap<string, string> {
  return new Map(
    sourceFiles()
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
      .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
  );
}

/** Compiles the attack program: once, and again when one of its sources is newer. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = resolve(import.meta.dirname, 'attack');
const BUILD_FOLDER = resolve(import.meta.dirname, '../../build/test/escape');
const FLAGS = ['-std=gnu11', '-O1', '-static', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Wstrict-prototypes', '-Werror'];

/** The directory that holds `attack`, and nothing else: it is mounted into sandboxes. Static, because a sandbox may have no libc. */
export function buildAttack(): string {
  const directory = join(BUILD_FOLDER, 'program');
  const attack = join(directory, 'attack');
  const sources = readdirSync(SOURCES).map((name) => join(SOURCES, name));
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if ((statSync(attack, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return directory;
  mkdirSync(directory, { recursive: true });
  // Test files run side by side: each builds under a name of its own and moves it into place.
  const mine = join(BUILD_FOLDER, `attack.${process.pid}`);
  const units = sources.filter((path) => path.endsWith('.c'));
  execFileSync('cc', [...FLAGS, '-o', mine, ...units], { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(mine, attack);
  return directory;
}

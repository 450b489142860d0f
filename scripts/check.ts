/**
 * `npm run check`: everything that must hold before a commit, in the order that finds the cheap mistakes first. Names of steps select them:
 * `npm run check -- types lint`. All selected steps run, also after one has failed, and the failures are named together at the end.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkBoundaries } from '../test/boundaries/check-boundaries.ts';
import { readTree } from '../test/boundaries/read-tree.ts';
import { RULES } from '../test/boundaries/rules.ts';

process.chdir(resolve(import.meta.dirname, '..'));

const GCC_FLAGS = [
  ...['-std=gnu11', '-O2', '-c', '-o', '/dev/null'],
  ...['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Wformat=2', '-Wstrict-prototypes', '-Wmissing-prototypes', '-Werror'],
  '-fanalyzer',
];

type Step = { readonly what: string; readonly holds: () => boolean };

const STEPS: Readonly<Record<string, Step>> = {
  format: { what: 'formatting (npm run fix)', holds: () => run('node_modules/.bin/biome', ['format']) },
  lint: { what: 'lint', holds: () => run('node_modules/.bin/biome', ['lint', '--error-on-warnings']) },
  types: { what: 'types', holds: () => run('node_modules/.bin/tsc', ['--build', '--pretty']) },
  boundaries: { what: 'who imports whom', holds: boundaries },
  c: { what: 'C warnings and analysis', holds: c },
  test: { what: 'tests', holds: () => run(process.execPath, ['scripts/test.ts']) },
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(STEPS);
const unknown = names.filter((name) => STEPS[name] === undefined);
if (unknown.length > 0) {
  console.error(`check: there is no step ${unknown.join(', ')}; the steps are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}

const failed: string[] = [];
for (const name of names) {
  const started = performance.now();
  console.log(`check: ${name}: ${STEPS[name]?.what}`);
  const isHolding = STEPS[name]?.holds() === true;
  if (!isHolding) failed.push(name);
  console.log(`check: ${name}: ${isHolding ? 'holds' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
if (failed.length > 0) {
  console.error(`check: FAILED: ${failed.join(', ')}; to repeat: npm run check -- ${failed.join(' ')}`);
  process.exitCode = 1;
}

function run(command: string, args: readonly string[]): boolean {
  const done = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.error !== undefined) console.error(`cannot run ${command}: ${done.error.message}`);
  return done.status === 0;
}

function boundaries(): boolean {
  const broken = checkBoundaries(readTree(), RULES);
  for (const line of broken) console.error(line);
  return broken.length === 0;
}

/** Each file by itself: the analyzer looks at one translation unit at a time. */
function c(): boolean {
  const units = readdirSync('launcher').filter((name) => name.endsWith('.c'));
  if (units.length === 0) console.error('launcher/ has no C files');
  return units.length > 0 && units.map((unit) => run('gcc', [...GCC_FLAGS, `launcher/${unit}`])).every((holds) => holds);
}

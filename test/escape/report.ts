/**
 * Prints every attempt and what became of it.
 *
 *   node --conditions=warren-source test/escape/report.ts [--without WALL]… [--profile moderate|restrictive] [--json] [ATTEMPT]…
 *
 * As an ordinary user it makes the attempts that need no root. With walls left out it shows which attempts then get through. Exits 1 when an attempt is answered otherwise than with every wall standing.
 */
import { parseArgs } from 'node:util';
import { REMOVABLE_WALLS, type RemovableWall } from '@warren/sandbox/testing';
import { Arena, Ground } from './arena.ts';
import type { Attempt } from './attempt.ts';
import { attemptsIn, getAttempt } from './attempts.ts';
import { runAttempts } from './run-attempts.ts';
import { profileOf, type Setting } from './setting.ts';

type Row = {
  readonly id: string;
  readonly title: string;
  readonly walls: readonly string[];
  readonly expected: string;
  readonly answer: string;
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    without: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string', default: 'moderate' },
    json: { type: 'boolean', default: false },
  },
});
const without = values.without.flatMap((names) => names.split(',')).map(checkWall);
const setting = settingOf(values.profile);
const attempts = positionals.length === 0 ? attemptsIn(setting) : positionals.map(getAttempt);
const rows = await makeAll();
if (values.json) console.log(JSON.stringify({ setting, without, attempts: rows }, undefined, 2));
else printTable();
process.exitCode = rows.some(({ answer, expected }) => answer !== expected) ? 1 : 0;

async function makeAll(): Promise<readonly Row[]> {
  await using ground = await Ground.open();
  await using arena = await Arena.open(ground, without);
  const answers = await runAttempts(arena, attempts, profileOf(setting));
  return attempts.map((attempt) => rowOf(attempt, answers.get(attempt.id) ?? ''));
}

function rowOf({ id, title, walls, answers }: Attempt, answer: string): Row {
  return { id, title, walls, expected: answers[setting] ?? '', answer };
}

function printTable(): void {
  const width = Math.max(...rows.map(({ id }) => id.length));
  for (const { id, answer, expected, title } of rows) {
    console.log(
      `${answer === expected ? ' ' : '!'} ${id.padEnd(width)}  ${answer.padEnd(28)}  ${title}${answer === expected ? '' : ` (expected: ${expected})`}`,
    );
  }
  const other = rows.filter(({ answer, expected }) => answer !== expected);
  const through = rows.filter(({ answer }) => answer.startsWith('succeeded'));
  const walls = without.length === 0 ? 'every wall standing' : `without ${without.join(', ')}`;
  console.log(`\n${rows.length} attempts with ${walls}: ${other.length} answered otherwise, ${through.length} got through`);
}

function checkWall(name: string): RemovableWall {
  const wall = REMOVABLE_WALLS.find((candidate) => candidate === name);
  if (wall === undefined) throw new RangeError(`There is no wall ${JSON.stringify(name)}; there are ${REMOVABLE_WALLS.join(', ')}`);
  return wall;
}

function settingOf(profile: string): Setting {
  if (profile === 'moderate') return process.getuid?.() === 0 ? 'moderate' : 'unprivileged';
  if (profile === 'restrictive') return 'restrictive';
  throw new RangeError(`The profile ${JSON.stringify(profile)} is not tried; moderate and restrictive are`);
}

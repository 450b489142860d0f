import { describe, expect, it } from 'vitest';
import { checkBoundaries } from './boundaries/check-boundaries.ts';
import { readTree } from './boundaries/read-tree.ts';
import { RULES, type Rules } from './boundaries/rules.ts';
import { scanImports } from './boundaries/scan-imports.ts';

it('every import in the repository is one the rules allow', () => {
  expect(checkBoundaries(readTree(), RULES)).toEqual([]);
});

/** A small tree in which everything is as it should be. */
const RULES_OF_SAMPLE: Rules = {
  packages: {
    base: { name: '@w/base', ours: [], node: false, theirs: [], why: 'runs anywhere' },
    upper: { name: '@w/upper', ours: ['base'], node: true, theirs: ['commander'], why: 'on top' },
    kit: { name: '@w/kit', ours: ['base', 'upper'], node: true, theirs: ['vitest'], why: 'for tests' },
  },
  onlyIn: [{ module: 'node:child_process', folders: ['packages/upper/src/start'], why: 'one place' }],
  apart: [{ path: 'packages/upper/src/pure', mayNotImport: ['packages/upper/src/start', 'node:'], why: 'pure' }],
  testFolders: ['test-support'],
  testsAlso: ['@w/kit', 'vitest'],
};
const SAMPLE: Readonly<Record<string, string>> = {
  'packages/base/src/index.ts': `export { one } from './one.ts';`,
  'packages/base/src/one.ts': `export const one = 1;`,
  'packages/base/src/one.test.ts': `import { it } from 'vitest'; import '@w/kit'; import './test-support/help.ts'; import './one.ts';`,
  'packages/base/src/test-support/help.ts': `import 'node:fs'; import 'vitest'; import '../one.ts';`,
  'packages/upper/src/index.ts': `import { one } from '@w/base'; import 'commander'; import './start/start.ts';`,
  'packages/upper/src/index.test.ts': `import 'node:child_process';`,
  'packages/upper/src/start/start.ts': `import { spawn } from 'node:child_process'; import '../pure/pure.ts';`,
  'packages/upper/src/pure/pure.ts': `export const two = 2;`,
  'packages/kit/src/index.ts': `import '@w/upper';`,
};

function check(planted: Readonly<Record<string, string | undefined>>, rules: Partial<Rules> = {}): readonly string[] {
  const files = Object.entries({ ...SAMPLE, ...planted }).filter((file): file is [string, string] => file[1] !== undefined);
  return checkBoundaries(new Map(files), { ...RULES_OF_SAMPLE, ...rules });
}

describe('checkBoundaries', () => {
  it('finds nothing in the sample', () => {
    expect(check({})).toEqual([]);
  });

  it.each([
    [
      'a package of ours that is not below',
      { 'packages/base/src/bad.ts': `import type { x } from '@w/upper';` },
      'base may not (runs anywhere)',
    ],
    ['the test kit in what ships', { 'packages/upper/src/bad.ts': `import '@w/kit';` }, 'upper may not'],
    ['the own package by name', { 'packages/base/src/bad.ts': `import '@w/base';` }, 'its own package'],
    ['Node where there is none', { 'packages/base/src/bad.ts': `import 'fs';` }, 'may not use Node'],
    ['a package that is no dependency', { 'packages/upper/src/bad.ts': `import 'left-pad';` }, 'not a dependency'],
    ['a test library in what ships', { 'packages/upper/src/bad.ts': `import 'vitest';` }, 'not a dependency'],
    ['the inside of a package', { 'packages/upper/src/bad.ts': `import '@w/base/src/one.ts';` }, 'reaches into'],
    ['another package by path', { 'packages/upper/src/bad.ts': `import '../../base/src/one.ts';` }, 'by path'],
    ['a file without its extension', { 'packages/base/src/bad.ts': `import './one';` }, 'extension'],
    ['a file that is gone', { 'packages/base/src/bad.ts': `import './none.ts';` }, 'which is gone'],
    ['a test', { 'packages/base/src/bad.ts': `import './one.test.ts';` }, 'which is for tests'],
    ['help for tests', { 'packages/base/src/bad.ts': `import './test-support/help.ts';` }, 'which is for tests'],
    [
      'processes outside their folder',
      { 'packages/upper/src/bad.ts': `import 'node:child_process';` },
      'only packages/upper/src/start may',
    ],
    [
      'processes by their short name, late',
      { 'packages/kit/src/bad.ts': `await import('child_process');` },
      'only packages/upper/src/start may',
    ],
    ['a folder that is kept apart', { 'packages/upper/src/pure/bad.ts': `import '../start/start.ts';` }, 'pure may not (pure)'],
    ['a module that a folder may not use', { 'packages/upper/src/pure/bad.ts': `import 'node:fs';` }, 'pure may not (pure)'],
    ['everything of a file, in an index', { 'packages/base/src/index.ts': `export * from './one.ts';` }, 'export *'],
    [
      'each other, in a round of files',
      { 'packages/base/src/one.ts': `import './index.ts';` },
      'import cycle: packages/base/src/index.ts → ',
    ],
  ])('catches an import of %s', (_, planted, complaint) => {
    expect(check(planted).join('\n')).toContain(complaint);
  });

  it('catches packages that import each other', () => {
    const packages = { ...RULES_OF_SAMPLE.packages, base: { name: '@w/base', ours: ['upper'], node: false, theirs: [], why: '' } };
    expect(check({ 'packages/base/src/one.ts': `import '@w/upper';` }, { packages })).toEqual([
      'package cycle: @w/base → @w/upper → @w/base',
    ]);
  });

  it('catches a rule about a package or folder that is gone, and a package without a rule', () => {
    expect(check({ 'packages/kit/src/index.ts': undefined })).toContain('a rule names packages/kit, which is gone');
    expect(check({ 'packages/upper/src/start/start.ts': undefined, 'packages/upper/src/index.ts': '' })).toContain(
      'a rule names packages/upper/src/start, which is gone',
    );
    expect(check({ 'packages/new/src/index.ts': '' })).toEqual(['packages/new has no rule']);
  });
});

describe('scanImports', () => {
  it.each([
    [`import 'a'`, ['a']],
    [`import a from "a"; import * as b from 'b'`, ['a', 'b']],
    [`import {\n  type a,\n  b as c,\n} from 'a';\n`, ['a']],
    [
      `import type { A } from 'a'; export type { B } from 'b'; export { c } from 'c'; export * from 'd'; export * as e from 'e'`,
      ['a', 'b', 'c', 'd', 'e'],
    ],
    [
      `const a = await import('a'); type B = typeof import('b').c; const c = require('c'); process.getBuiltinModule('d')`,
      ['a', 'b', 'c', 'd'],
    ],
    [`import { "x y" as a } from 'a'; import j from 'j' with { type: 'json' };`, ['a', 'j']],
    [`// import 'a'\n/* import 'b'\n import 'c' */ import 'd' // 'e'`, ['d']],
    [`const a = "import 'a'"; const b = \`import 'b' \${\`\${{}}import 'c'\`}\`; import 'd'`, ['d']],
    [`const quote = /['"]/; const half = 4 / 2; import 'a'; const slash = /[/']/g.test("/"); import 'b'`, ['a', 'b']],
    [`export const from = 'a'; export function f() { return from + 'b'; } array.import('c'); reimport('d')`, []],
  ])('reads %j', (source, specifiers) => {
    expect(scanImports(source).map(({ specifier }) => specifier)).toEqual(specifiers);
  });

  it('knows the line', () => {
    expect(scanImports(`/* a\n b */\nconst c = \`\n\`;\nimport 'd';`)).toEqual([{ specifier: 'd', line: 5 }]);
  });
});

/** Rules about the repository itself. Each comes with a sample that it must catch. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, sourceFiles } from './boundaries/read-tree.ts';

const AT_ROOT = new Set([
  ...['.ci', '.git', '.gitignore', '.npmrc'],
  ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
  ...['biome.json', 'package-lock.json', 'package.json', 'tsconfig.base.json', 'tsconfig.json', 'vitest.config.ts'],
  ...['bench', 'docs', 'examples', 'launcher', 'packages', 'prebuilds', 'scripts', 'sdk', 'test'],
  ...['build', 'node_modules'],
]);

describe('the root', () => {
  it('holds nothing that is not on the list', () => {
    expect(strays(readdirSync(ROOT))).toEqual([]);
  });

  it('catches a stray file', () => {
    expect(strays(['README.md', 'notes.txt'])).toEqual(['notes.txt']);
  });

  function strays(names: readonly string[]): readonly string[] {
    return names.filter((name) => !AT_ROOT.has(name));
  }
});

describe('written files', () => {
  it('name no registry host and no path of the machine they were written on', () => {
    const found = sourceFiles().flatMap((path) => foreignWords(readFileSync(join(ROOT, path), 'utf8')).map((word) => `${path}: ${word}`));
    expect(found).toEqual([]);
  });

  it('lock no address of a package', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "[^"]*:/);
  });

  it.each(['https://REGISTRY.example.org/left-pad', 'see REGISTRY.npmjs.org', '{ "file": "/WORK/main/a.ts" }'])('catches %j', (sample) => {
    expect(foreignWords(sample.replace('REGISTRY', 'registry').replace('WORK', 'work'))).toHaveLength(1);
  });

  function foreignWords(text: string): readonly string[] {
    return [...text.matchAll(/\bregistry\.[a-z][\w-]*\.\w+|https?:\/\/(?:npm|pypi|registry)\.[\w.-]+|(?<![\w.~-])\/work\/\w+/g)].map(
      ([word]) => word,
    );
  }
});

describe('tests', () => {
  it('skip only with a reason, and none is left focused', () => {
    const tests = sourceFiles().filter((path) => path.endsWith('.test.ts'));
    const found = tests.flatMap((path) => silentSkips(readFileSync(join(ROOT, path), 'utf8')).map((skip) => `${path}: ${skip}`));
    expect(found).toEqual([]);
  });

  it.each([
    `it.SKIP('x')`,
    `describe.SKIPIf(isRoot)('x')`,
    `test.concurrent.SKIP('x')`,
    `it.runIF(a)('x')`,
    `test.TODO('x')`,
    `it.ONLY('x')`,
    `context.SKIP()`,
  ])('catches %s', (sample) => {
    expect(silentSkips(sample.replace(/SKIP|IF|TODO|ONLY/g, (word) => (word === 'IF' ? 'If' : word.toLowerCase())))).toHaveLength(1);
  });

  it('accepts a skip of the test context that says why', () => {
    expect(silentSkips(`context.skip(!isRoot, 'needs root'); skip('no cgroups here')`)).toEqual([]);
  });

  /** vitest's own ways of skipping take no reason; `skip(condition, 'reason')` of the test context does. scripts/test.ts checks that it was given. */
  function silentSkips(source: string): readonly string[] {
    const focused = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|only)\b|\bskip\(\s*\)/g;
    return [...source.matchAll(focused)].map(([skip]) => skip);
  }
});

/** Holds a tree of source files to the rules. Pure: the tree is a map from path to content, so a test can plant a violation in one line. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Rules } from './rules.ts';
import { hasExportStar, scanImports } from './scan-imports.ts';

/** Path from the root of the repository to content, for every TypeScript file. */
export type Tree = ReadonlyMap<string, string>;

/** One import, with what it means. Type imports count: two files that need each other's types cannot be understood apart. */
type Edge = {
  readonly from: string;
  readonly where: string;
  readonly specifier: string;
  readonly kind: 'relative' | 'node' | 'ours' | 'theirs';
  /** The file a relative import names, `node:x`, or the name of a package. */
  readonly target: string;
};

/** What is broken, one sentence each. Empty: all holds. */
export function checkBoundaries(tree: Tree, rules: Rules): readonly string[] {
  const edges = [...tree].filter(([path]) => path.endsWith('.ts')).flatMap(([path, source]) => readEdges(path, source, rules));
  return [
    ...checkRulesFit(tree, rules),
    ...edges.flatMap((edge) => [
      ...checkRelative(edge, tree, rules),
      ...checkPackage(edge, rules),
      ...checkOnlyIn(edge, rules),
      ...checkApart(edge, rules),
    ]),
    ...checkIndexFiles(tree),
    ...findCycles(fileGraph(edges)).map((cycle) => `import cycle: ${cycle.join(' → ')}`),
    ...findCycles(packageGraph(edges, rules)).map((cycle) => `package cycle: ${cycle.join(' → ')}`),
  ];
}

function readEdges(from: string, source: string, rules: Rules): readonly Edge[] {
  return scanImports(source).map(({ specifier, line }) => {
    const base = { from, where: `${from}:${line}`, specifier };
    if (specifier.startsWith('.')) return { ...base, kind: 'relative', target: posix.join(posix.dirname(from), specifier) };
    if (isBuiltin(specifier)) return { ...base, kind: 'node', target: specifier.startsWith('node:') ? specifier : `node:${specifier}` };
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const isOurs = Object.values(rules.packages).some((rule) => rule.name === name);
    return { ...base, kind: isOurs ? 'ours' : 'theirs', target: name };
  });
}

/** A rule about something that is gone protects nothing, and a package without a rule is not protected. */
function checkRulesFit(tree: Tree, rules: Rules): readonly string[] {
  const paths = [...tree.keys()];
  const isThere = (path: string): boolean => paths.some((file) => isBelow(file, path));
  const folders = new Set(paths.map(packageOf).filter((folder) => folder !== undefined));
  const named = new Set([
    ...Object.keys(rules.packages).map((folder) => `packages/${folder}`),
    ...rules.onlyIn.flatMap((rule) => rule.folders),
    ...rules.apart.flatMap((rule) => [rule.path, ...rule.mayNotImport.filter((target) => target.includes('/'))]),
  ]);
  return [
    ...[...named].filter((path) => !isThere(path)).map((path) => `a rule names ${path}, which is gone`),
    ...[...folders].filter((folder) => rules.packages[folder] === undefined).map((folder) => `packages/${folder} has no rule`),
  ];
}

function checkRelative(edge: Edge, tree: Tree, rules: Rules): readonly string[] {
  if (edge.kind !== 'relative') return [];
  if (packageOf(edge.from) !== packageOf(edge.target) && edge.from.startsWith('packages/')) {
    return [`${edge.where} imports ${edge.target} of another package by path, not by name`];
  }
  if (!edge.target.endsWith('.ts'))
    return edge.target.endsWith('.json') ? [] : [`${edge.where} imports ${edge.specifier} without its extension .ts`];
  if (!tree.has(edge.target)) return [`${edge.where} imports ${edge.target}, which is gone`];
  const isForTests = edge.target.endsWith('.test.ts') || (isTest(edge.target, rules) && !isTest(edge.from, rules));
  return isForTests ? [`${edge.where} imports ${edge.target}, which is for tests`] : [];
}

/** The name of a package, or a further entry that its rule names. */
function isEntry({ specifier, target }: Edge, rules: Rules): boolean {
  const rule = Object.values(rules.packages).find(({ name }) => name === target);
  return specifier === target || (rule?.entries ?? []).some((entry) => specifier === `${target}/${entry}`);
}

function checkPackage(edge: Edge, rules: Rules): readonly string[] {
  const folder = packageOf(edge.from);
  const rule = folder === undefined ? undefined : rules.packages[folder];
  if (rule === undefined) return [];
  const test = isTest(edge.from, rules);
  switch (edge.kind) {
    case 'relative':
      return [];
    case 'node':
      return rule.node || test ? [] : [`${edge.where} imports ${edge.target}: ${folder} may not use Node (${rule.why})`];
    case 'ours':
      if (!isEntry(edge, rules)) return [`${edge.where} reaches into ${edge.specifier}: only what its index.ts exports is public`];
      if (rule.ours.some((ours) => rules.packages[ours]?.name === edge.target) || (test && rules.testsAlso.includes(edge.target)))
        return [];
      return edge.target === rule.name
        ? [`${edge.where} imports its own package by name`]
        : [`${edge.where} imports ${edge.target}: ${folder} may not (${rule.why})`];
    case 'theirs':
      if (rule.theirs.includes(edge.target) || (test && rules.testsAlso.includes(edge.target))) return [];
      return [`${edge.where} imports ${edge.target}: not a dependency ${folder} may have`];
    default:
      return edge.kind satisfies never;
  }
}

function checkOnlyIn(edge: Edge, rules: Rules): readonly string[] {
  return rules.onlyIn
    .filter(
      (rule) => edge.target === rule.module && !isTest(edge.from, rules) && !rule.folders.some((folder) => isBelow(edge.from, folder)),
    )
    .map((rule) => `${edge.where} imports ${rule.module}: only ${rule.folders.join(', ')} may (${rule.why})`);
}

function checkApart(edge: Edge, rules: Rules): readonly string[] {
  return rules.apart
    .filter((rule) => isBelow(edge.from, rule.path) && !isTest(edge.from, rules))
    .filter((rule) =>
      rule.mayNotImport.some((target) => isBelow(edge.target, target) || (target.endsWith(':') && edge.target.startsWith(target))),
    )
    .map((rule) => `${edge.where} imports ${edge.target}: ${rule.path} may not (${rule.why})`);
}

/** The index file is the public surface: it says each name. */
function checkIndexFiles(tree: Tree): readonly string[] {
  return [...tree]
    .filter(([path, source]) => /^packages\/[^/]+\/src\/index\.ts$/.test(path) && hasExportStar(source))
    .map(([path]) => `${path} has an export *: name what is public`);
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function fileGraph(edges: readonly Edge[]): Graph {
  return graph(edges.filter((edge) => edge.kind === 'relative').map((edge) => [edge.from, edge.target]));
}

/** Tests stand beside a package but are no part of it: the test kit may know the package it helps to test. */
function packageGraph(edges: readonly Edge[], rules: Rules): Graph {
  return graph(
    edges.flatMap((edge) => {
      const from = rules.packages[packageOf(edge.from) ?? '']?.name;
      return edge.kind === 'ours' && from !== undefined && from !== edge.target && !isTest(edge.from, rules) ? [[from, edge.target]] : [];
    }),
  );
}

function graph(pairs: readonly (readonly [string, string])[]): Graph {
  const result = new Map<string, Set<string>>();
  for (const [from, to] of pairs) {
    const targets = result.get(from) ?? new Set();
    result.set(from, targets.add(to));
  }
  return result;
}

/** Each edge that leads back to where a walk came from, as the way round. Empty exactly when there is no cycle. */
function findCycles(nodes: Graph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (node: string, way: readonly string[]): void => {
    const seenAt = way.indexOf(node);
    if (seenAt !== -1) cycles.push([...way.slice(seenAt), node]);
    if (seenAt !== -1 || done.has(node)) return;
    for (const next of nodes.get(node) ?? []) walk(next, [...way, node]);
    done.add(node);
  };
  for (const node of nodes.keys()) walk(node, []);
  return cycles;
}

/** The folder in packages/ that a path is in, if it is in one. */
function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

function isTest(path: string, rules: Rules): boolean {
  return path.endsWith('.test.ts') || rules.testFolders.some((folder) => path.includes(`/${folder}/`));
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

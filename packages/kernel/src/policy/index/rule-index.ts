/**
 * Finds the first rule of a file that matches without asking all of them. Rules are told apart along one dimension after the other, at each step along the one that
 * leaves the fewest to ask; those a dimension says nothing about stand beside its branches. So a look-up walks the few branches the request has keys for, and keeps the
 * position of the best rule found so far: whatever stands later is not asked any more.
 */
import type { CompiledRule } from '../compile-rule.ts';
import type { Question } from '../question.ts';
import type { Dimension } from './dimension.ts';

type Node = {
  /** The earliest position below. */
  readonly first: number;
  /** In order, when it is not divided. */
  readonly rules: readonly CompiledRule[];
  readonly division: Division | undefined;
};

type Division = { readonly dimension: Dimension; readonly branches: ReadonlyMap<string, Node>; readonly rest: Node | undefined };

export interface RuleIndex {
  /** The first that matches. */
  find(question: Question): CompiledRule | undefined;
  /** In order: those that match some request with this capability, these tags and this agent, as far as dimensions tell. */
  candidates(question: Question): readonly CompiledRule[];
}

/** Fewer are asked one after the other. */
const DIVIDED_MIN = 8;
/** A division has to save this share of asking. */
const WORTH = 0.7;
/** Rules with more keys are asked every time. */
const KEYS_MAX = 64;
/** How often a rule may stand in the index on average: it stands in a branch for each of its keys. */
const COPIES_MAX = 24;

export function createRuleIndex(rules: readonly CompiledRule[], dimensions: readonly Dimension[]): RuleIndex {
  const budget = { copies: rules.length * COPIES_MAX };
  const root = build(rules, dimensions, budget);
  return {
    find: (question) => search(root, question, undefined),
    candidates: (question) => {
      const found = new Set<CompiledRule>();
      collect(root, question, found);
      return [...found].toSorted((one, other) => one.position - other.position);
    },
  };
}

function search(node: Node, question: Question, best: CompiledRule | undefined): CompiledRule | undefined {
  if (best !== undefined && node.first >= best.position) return best;
  if (node.division === undefined) return searchRules(node.rules, question, best);
  const { dimension, branches, rest } = node.division;
  let found = best;
  const keys = question.keys(dimension);
  if (keys === undefined) for (const branch of branches.values()) found = search(branch, question, found);
  else {
    for (const key of keys) {
      const branch = branches.get(key);
      if (branch !== undefined) found = search(branch, question, found);
    }
  }
  return rest === undefined ? found : search(rest, question, found);
}

function searchRules(rules: readonly CompiledRule[], question: Question, best: CompiledRule | undefined): CompiledRule | undefined {
  for (const rule of rules) {
    if (best !== undefined && rule.position >= best.position) return best;
    if (rule.matches(question)) return rule;
  }
  return best;
}

function collect(node: Node, question: Question, found: Set<CompiledRule>): void {
  for (const rule of node.rules) found.add(rule);
  if (node.division === undefined) return;
  const { dimension, branches, rest } = node.division;
  const keys = dimension.isStatic ? question.keys(dimension) : undefined;
  const below = keys?.map((key) => branches.get(key)) ?? branches.values();
  for (const branch of below) if (branch !== undefined) collect(branch, question, found);
  if (rest !== undefined) collect(rest, question, found);
}

function build(rules: readonly CompiledRule[], dimensions: readonly Dimension[], budget: { copies: number }): Node {
  const first = rules[0]?.position ?? 0;
  const dimension = rules.length < DIVIDED_MIN ? undefined : bestDimension(rules, dimensions, budget.copies);
  if (dimension === undefined) return { first, rules, division: undefined };
  const { groups, rest } = divide(rules, dimension);
  const others = dimensions.filter((each) => each !== dimension);
  for (const group of groups.values()) budget.copies -= group.length;
  const branches = new Map([...groups].map(([key, group]) => [key, build(group, others, budget)]));
  return { first, rules: [], division: { dimension, branches, rest: rest.length === 0 ? undefined : build(rest, others, budget) } };
}

/** The one after which the fewest rules are asked, when each branch is asked for as often as it has rules. */
function bestDimension(rules: readonly CompiledRule[], dimensions: readonly Dimension[], copies: number): Dimension | undefined {
  let best: Dimension | undefined;
  let least = rules.length * WORTH;
  for (const dimension of dimensions) {
    const sizes = new Map<string, number>();
    let rest = 0;
    let placed = 0;
    for (const { rule } of rules) {
      const keys = keysOf(rule, dimension);
      if (keys === undefined) rest++;
      else for (const key of keys) sizes.set(key, (sizes.get(key) ?? 0) + 1);
      placed += keys?.length ?? 0;
    }
    if (placed === 0 || placed > copies) continue;
    let squares = 0;
    for (const size of sizes.values()) squares += size * size;
    const asked = rest + squares / placed;
    if (asked < least) [best, least] = [dimension, asked];
  }
  return best;
}

function divide(
  rules: readonly CompiledRule[],
  dimension: Dimension,
): { readonly groups: ReadonlyMap<string, readonly CompiledRule[]>; readonly rest: readonly CompiledRule[] } {
  const groups = new Map<string, CompiledRule[]>();
  const rest: CompiledRule[] = [];
  for (const each of rules) {
    const keys = keysOf(each.rule, dimension);
    if (keys === undefined) rest.push(each);
    else for (const key of keys) placeIn(groups, key, each);
  }
  return { groups, rest };
}

function placeIn(groups: Map<string, CompiledRule[]>, key: string, rule: CompiledRule): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [rule]);
  else if (group.at(-1) !== rule) group.push(rule); // A rule may name a key twice.
}

function keysOf(rule: CompiledRule['rule'], dimension: Dimension): readonly string[] | undefined {
  const keys = dimension.keysOfRule(rule);
  return keys === undefined || keys.length > KEYS_MAX ? undefined : keys;
}

/**
 * Rules that an earlier one of the same file leaves nothing to. Only what is certain is found: an earlier rule covers a later one when each of its parts stands in the later one
 * as well, or is wider there by being a directory above. Rules are looked up by what the earlier one asks for first, so that few are compared.
 */

import { quantifierOf } from '../compile-rule.ts';
import { isUnder } from '../condition/is-under.ts';
import { fitsWildcard } from '../condition/wildcard.ts';
import { patternsOf } from '../index/static-dimensions.ts';
import type { Condition, PolicyFile, Rule } from '../policy.ts';

export type Covered = { readonly line: number; readonly by: number; readonly isContradicted: boolean };

/** A rule, ready to be compared. */
export type Entry = { readonly rule: Rule; readonly line: number; readonly parts: ReadonlySet<string>; readonly match: string };

const COMPARISONS_MAX = 2_000_000;

export function findCovered({ rules }: PolicyFile): readonly Covered[] {
  const earlier = new Map<string, Entry[]>();
  const found: Covered[] = [];
  let comparisons = 0;
  for (const { rule, line } of rules) {
    const entry = entryOf(rule, line);
    const candidates = keysAbove(entry).flatMap((key) => earlier.get(key) ?? []);
    comparisons += candidates.length;
    if (comparisons > COMPARISONS_MAX) break; // Warnings are help, no promise.
    const cover = candidates.find((one) => covers(one, entry) || one.match === entry.match);
    if (cover !== undefined) {
      const isContradicted = cover.match === entry.match && cover.rule.tier !== rule.tier;
      if (isContradicted || covers(cover, entry)) found.push({ line, by: cover.line, isContradicted });
    }
    for (const key of keysOf(entry)) {
      const entries = earlier.get(key);
      if (entries === undefined) earlier.set(key, [entry]);
      else entries.push(entry);
    }
  }
  return found;
}

export function entryOf(rule: Rule, line: number): Entry {
  return { rule, line, parts: partsOf(rule.when), match: matchOf(rule) };
}

/** Whether one matches whenever the other does. False when that is not certain. */
export function covers(one: Entry, other: Entry): boolean {
  return (
    other.rule.capability.every((pattern) => patternsAbove(pattern).some((above) => one.rule.capability.includes(above))) &&
    hasTags(one.rule, other.rule) &&
    hasAgents(one.rule, other.rule) &&
    (one.parts.size === 0 || quantifierOf(one.rule.tier) === 'one' || quantifierOf(other.rule.tier) === 'every') &&
    [...one.parts].every((part) => other.parts.has(part) || isDirectoryAbove(part, other.rule.when))
  );
}

function hasTags({ tags: one }: Rule, { tags: other }: Rule): boolean {
  return one === undefined || (other?.every((tag) => one.includes(tag)) ?? false);
}

function hasAgents({ agent: one }: Rule, { agent: other }: Rule): boolean {
  if (one === undefined) return true;
  return (
    other?.every((name) => one.some((pattern) => pattern === name || (!name.includes('*') && fitsWildcard(pattern, name)))) ??
    one.includes('*')
  );
}

/** Whether a part that says nothing but `path.under` names directories above all those of the other. */
function isDirectoryAbove(part: string, when: Condition | undefined): boolean {
  const under = when?.path?.under;
  if (under === undefined || !part.startsWith(UNDER_ONLY)) return false;
  const above = JSON.parse(part.slice('path:'.length)).under as readonly string[]; // Written by `partsOf`.
  return under.every((path) => above.some((each) => isUnder(path, each)));
}

const UNDER_ONLY = 'path:{"under":';

/** Everything that has to hold, each as a text that is the same for the same. */
function partsOf(when: Condition | undefined): ReadonlySet<string> {
  const parts = Object.entries(when ?? {}).flatMap(([name, part]) => {
    if (part === undefined) return [];
    if (name === 'args') return Object.entries(part).map(([place, value]) => `args.${place}:${textOf(value)}`);
    return [`${name}:${textOf(part)}`];
  });
  return new Set(parts);
}

function matchOf({ capability, tags, agent, when }: Rule): string {
  return textOf([capability.toSorted(), tags?.toSorted() ?? null, agent?.toSorted() ?? null, [...partsOf(when)].toSorted()]);
}

/** JSON with the names of objects in order. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}

/** Under which a rule is found by those it may cover. */
function keysOf({ rule, parts }: Entry): readonly string[] {
  const part = parts.values().next().value ?? '';
  const agents = rule.agent?.every((name) => !name.includes('*')) ? rule.agent : [''];
  const directories =
    part.startsWith('path:') && rule.when?.path?.under !== undefined ? rule.when.path.under.map((path) => `under:${path}`) : [part];
  return rule.capability.flatMap((pattern) => agents.flatMap((agent) => directories.map((each) => `${pattern}\n${agent}\n${each}`)));
}

/** All under which something that covers this rule may stand. */
function keysAbove({ rule, parts }: Entry): readonly string[] {
  const directory = rule.when?.path?.under?.[0];
  const asked = ['', ...parts, ...(directory === undefined ? [] : ancestorsOf(directory).map((path) => `under:${path}`))];
  const agents = ['', ...(rule.agent?.slice(0, 1) ?? [])];
  const patterns = patternsAbove(rule.capability[0] ?? '*');
  return patterns.flatMap((pattern) => agents.flatMap((agent) => asked.map((part) => `${pattern}\n${agent}\n${part}`)));
}

/** Capability patterns that stand for at least as much. */
function patternsAbove(pattern: string): readonly string[] {
  if (pattern === '*') return ['*'];
  return [
    ...new Set([pattern, ...patternsOf(pattern.endsWith('.*') ? pattern.slice(0, -2) : pattern).filter((above) => above.endsWith('*'))]),
  ];
}

function ancestorsOf(path: string): readonly string[] {
  const names = path.split('/').slice(1);
  return ['/', ...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)];
}

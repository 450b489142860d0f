import { splitPort } from '@warren/protocol';
import { programOf } from '../condition/command-condition.ts';
import { readGlob } from '../condition/glob.ts';
import type { PathCondition, Rule } from '../policy.ts';
import type { DimensionKind } from './dimension.ts';

/** Directories: what a rule is about is one of those a path lies in. */
export function pathDimension(rules: readonly Rule[]): DimensionKind {
  const lengthMax = longest(rules.flatMap(({ when }) => directoriesOf(when?.path) ?? []));
  return {
    isStatic: false,
    keysOfRule: ({ when }) => directoriesOf(when?.path),
    keysOfRequest: ({ facts }) => unique(facts.paths.map(({ path }) => ancestorsOf(path, lengthMax))),
  };
}

/** Names of hosts as rules write them, without ports. */
export const HOST: DimensionKind = {
  isStatic: false,
  keysOfRule: ({ when }) => {
    const hosts = when?.host?.matches?.map((pattern) => splitPort(pattern).host);
    return hosts?.includes('*') ? undefined : hosts;
  },
  keysOfRequest: ({ facts }) => unique(facts.hosts.map(({ host }) => patternsOfHost(host))),
};

export const PROGRAM: DimensionKind = {
  isStatic: false,
  keysOfRule: ({ when }) => when?.command?.program,
  keysOfRequest: ({ facts }) => unique(facts.commands.map((words) => [programOf(words)])),
};

/** Beginnings of command lines. */
export function prefixDimension(rules: readonly Rule[]): DimensionKind {
  const keysOfRule = ({ when }: Rule): readonly string[] | undefined =>
    when?.command?.prefix?.map((words) => words.slice(0, WORDS_MAX).join(' '));
  const lengthMax = longest(rules.flatMap((rule) => keysOfRule(rule) ?? []));
  return {
    isStatic: false,
    keysOfRule,
    keysOfRequest: ({ facts }) => unique(facts.commands.map((words) => beginningsOf(words, lengthMax))),
  };
}

/** Command lines that begin alike for longer are told apart no further. */
const WORDS_MAX = 16;

export const TAINT: DimensionKind = {
  isStatic: false,
  keysOfRule: ({ when }) => when?.taint?.any,
  keysOfRequest: ({ taint }) => taint,
};

function directoriesOf(condition: PathCondition | undefined): readonly string[] | undefined {
  return condition?.under ?? condition?.glob?.map((text) => readGlob(text).under);
}

function ancestorsOf(path: string, lengthMax: number): readonly string[] {
  const keys = ['/'];
  for (let at = path.indexOf('/', 1); at !== -1 && at <= lengthMax; at = path.indexOf('/', at + 1)) keys.push(path.slice(0, at));
  if (path.length <= lengthMax) keys.push(path);
  return keys;
}

function patternsOfHost(host: string): readonly string[] {
  const keys = [host, `**.${host}`];
  let at = host.indexOf('.');
  if (at !== -1) keys.push(`*${host.slice(at)}`);
  for (; at !== -1; at = host.indexOf('.', at + 1)) keys.push(`**${host.slice(at)}`);
  return keys;
}

function beginningsOf(words: readonly string[], lengthMax: number): readonly string[] {
  const keys: string[] = [];
  for (let count = 1; count <= Math.min(words.length, WORDS_MAX); count++) {
    const key = words.slice(0, count).join(' ');
    if (key.length > lengthMax) break;
    keys.push(key);
  }
  return keys;
}

function unique(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = lists;
  return lists.length < 2 ? first : [...new Set(lists.flat())];
}

function longest(texts: readonly string[]): number {
  return texts.reduce((length, text) => Math.max(length, text.length), 0);
}

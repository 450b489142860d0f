/**
 * The contract of policies read aloud: no index, no compilation, no sharing with the engine. Slow and plain, so that a mistake in one is not a mistake in the other.
 * Where a hard block lies behind a command line, the caller says so: reading shells is tested elsewhere.
 */
import type { JsonObject, JsonValue } from '../../internal/json.ts';
import type {
  Allowance,
  AskTerms,
  Condition,
  CounterRef,
  Decision,
  PolicyFile,
  PolicyRequest,
  ReadCounter,
  Rule,
  RuleRef,
  Tier,
  ValueCondition,
} from '../policy.ts';

type Maybe = boolean | undefined;
type Opinion = { tier: Tier; base: Tier; ref: RuleRef; rule?: Rule; layer: number; over?: { counter: CounterRef; retryAfterMs: number } };

const STRICTNESS: Tier[] = ['autonomous', 'notify', 'approval_required', 'blocked'];
const FROM_THE_TOP = ['system', 'organization', 'workspace', 'agent'];
const strictness = (tier: Tier): number => STRICTNESS.indexOf(tier);

export function decideNaively(
  files: readonly PolicyFile[],
  workspace: string | undefined,
  request: PolicyRequest,
  read: ReadCounter,
  allowances: readonly Allowance[],
): Omit<Decision, 'opinions'> & { readonly opinions: Decision['opinions'] } {
  const heard: Opinion[] = [];
  const counters: CounterRef[] = [];
  let asideBelow = 99;
  for (const [layer, name] of FROM_THE_TOP.entries()) {
    for (const file of files) {
      if (file.layer !== name) continue;
      if (file.layer === 'workspace' && file.of !== workspace) continue;
      if (file.layer === 'agent' && file.of !== request.agent) continue;
      const at = file.rules.findIndex(({ rule }) => matches(rule, request));
      const found = file.rules[at];
      if (found === undefined) {
        if (file.defaultTier === undefined) continue;
        const ref = { layer: file.layer, file: file.file, line: file.defaultLine ?? 1, rule: 'default', reason: undefined };
        heard.push({ tier: file.defaultTier, base: file.defaultTier, ref, layer });
        continue;
      }
      const { rule, line } = found;
      const ref = { layer: file.layer, file: file.file, line, rule: rule.id ?? `rules[${at}]`, reason: rule.reason };
      const opinion: Opinion = { tier: rule.tier, base: rule.tier, ref, rule, layer };
      if (rule.limit !== undefined && layer <= asideBelow) {
        const { what, max, perMs } = rule.limit;
        const counter = {
          key: JSON.stringify([file.layer, file.of ?? null, file.file, ref.rule, what, max, perMs]) + request.agent,
          what,
          max,
          perMs,
        };
        counters.push(counter);
        const { amount, oldestAt } = read(counter);
        const need = what === 'calls' ? 1 : Math.max(1, new Map(Object.entries(request.facts.estimate)).get(what) ?? 1);
        if (amount + need > max) {
          const wait = oldestAt === undefined ? perMs : Math.min(perMs, Math.max(1, oldestAt + perMs - request.at));
          opinion.over = { counter, retryAfterMs: wait };
          if (strictness(rule.limit.onExceed) > strictness(rule.tier)) opinion.tier = rule.limit.onExceed;
        }
      }
      heard.push(opinion);
      if (rule.exception === true && opinion.over === undefined && layer < asideBelow) asideBelow = layer;
    }
  }
  const inForce = heard.filter(({ layer }) => layer <= asideBelow);
  const tier = strictestOf(inForce.map((each) => each.tier)) ?? request.defaultTier;
  const rule = inForce.find((each) => each.tier === tier)?.ref;
  const exception =
    inForce.length < heard.length
      ? inForce.find((each) => each.layer === asideBelow && each.rule?.exception === true && each.over === undefined)?.ref
      : undefined;
  const opinions = heard.map((each) => ({ tier: each.tier, rule: each.ref }));
  const told = { opinions, exception, exceeded: blame(heard, inForce, tier), counters };
  if (tier !== 'approval_required')
    return { tier, rule, ...told, ask: { quorum: 1, approvers: [], expiresMs: 86_400_000, escalate: undefined } };
  const allowance = allowances.find(
    (each) =>
      each.agent === request.agent &&
      each.capability === request.capability &&
      request.at < each.expiresAt &&
      (each.when === undefined || truth(each.when, request, 'all') === true),
  );
  if (allowance !== undefined) {
    const ref = { layer: 'allowance' as const, file: '', line: 0, rule: allowance.id, reason: undefined };
    return { tier: 'notify', rule: ref, ...told, ask: { quorum: 1, approvers: [], expiresMs: 86_400_000, escalate: undefined } };
  }
  return { tier, rule, ...told, ask: merge(inForce.filter((each) => each.tier === tier).flatMap((each) => each.rule?.ask ?? [])) };
}

function strictestOf(tiers: Tier[]): Tier | undefined {
  return tiers.toSorted((one, other) => strictness(other) - strictness(one))[0];
}

function blame(heard: Opinion[], inForce: Opinion[], tier: Tier): Decision['exceeded'] {
  const freely = heard.find(({ rule }) => rule?.exception === true)?.layer ?? 99;
  const unlimited = strictestOf(heard.filter(({ layer }) => layer <= freely).map(({ base }) => base));
  const over = inForce.filter((each) => each.over !== undefined);
  if (over.length === 0 || unlimited === undefined || strictness(tier) <= strictness(unlimited)) return undefined;
  const direct = over.filter((each) => each.tier === tier);
  const guilty = direct.length > 0 ? direct : over.filter((each) => each.rule?.exception === true);
  const longest = Math.max(...guilty.map((each) => each.over?.retryAfterMs ?? 0));
  const worst = guilty.find((each) => each.over?.retryAfterMs === longest);
  return worst?.over === undefined ? undefined : { rule: worst.ref, counter: worst.over.counter, retryAfterMs: longest };
}

function merge(terms: Partial<AskTerms>[]): AskTerms {
  let quorum = 1;
  let expiresMs: number | undefined;
  let escalate: AskTerms['escalate'];
  let first: readonly string[] | undefined;
  let shared: readonly string[] = [];
  for (const term of terms) {
    quorum = Math.max(quorum, term.quorum ?? 1);
    if (term.expiresMs !== undefined) expiresMs = Math.min(expiresMs ?? term.expiresMs, term.expiresMs);
    escalate ??= term.escalate;
    const groups = term.approvers ?? [];
    if (groups.length === 0) continue;
    shared = first === undefined ? groups : shared.filter((group) => groups.includes(group));
    first ??= groups;
  }
  return { quorum, approvers: shared.length > 0 ? shared : (first ?? []), expiresMs: expiresMs ?? 86_400_000, escalate };
}

function matches(rule: Rule, request: PolicyRequest): boolean {
  const named = rule.capability.some((pattern) => pattern === '*' || pattern === request.capability || (pattern.endsWith('.*') && request.capability.startsWith(pattern.slice(0, -1)))); // biome-ignore format: one line
  const labelled = rule.tags === undefined || rule.tags.some((tag) => request.tags.includes(tag));
  const ours = rule.agent === undefined || rule.agent.some((pattern) => wild(pattern, request.agent));
  if (!named || !labelled || !ours) return false;
  const lets = rule.tier === 'autonomous' || rule.tier === 'notify';
  return rule.when === undefined || truth(rule.when, request, lets ? 'all' : 'some') === true;
}

function wild(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return wild(pattern.slice(1), text) || (text !== '' && wild(pattern, text.slice(1)));
  return pattern[0] === text[0] && wild(pattern.slice(1), text.slice(1));
}

function and(parts: Maybe[]): Maybe {
  if (parts.includes(false)) return false;
  return parts.includes(undefined) ? undefined : true;
}

function or(parts: Maybe[]): Maybe {
  if (parts.includes(true)) return true;
  return parts.includes(undefined) ? undefined : false;
}

function over<Value>(values: readonly Value[], how: 'all' | 'some', test: (value: Value) => Maybe): Maybe {
  if (values.length === 0) return undefined;
  return how === 'all' ? and(values.map(test)) : or(values.map(test));
}

function truth(condition: Condition, request: PolicyRequest, how: 'all' | 'some'): Maybe {
  const { facts, taint } = request;
  const parts: Maybe[] = [];
  const { path, host, command, size, time } = condition;
  if (path !== undefined) {
    parts.push(
      over(facts.paths, how, (fact) =>
        and([
          path.mode === undefined || path.mode === fact.mode,
          path.under === undefined || path.under.some((prefix) => below(fact.path, prefix)),
          path.notUnder === undefined || path.notUnder.every((prefix) => !below(fact.path, prefix)),
          path.glob === undefined || path.glob.some((glob) => globs(glob.split('/').slice(1), fact.path.split('/').slice(1))),
        ]),
      ),
    );
  }
  if (host !== undefined) {
    parts.push(
      over(facts.hosts, how, (fact) =>
        and([
          host.matches === undefined || host.matches.some((pattern) => reaches(pattern, fact)),
          host.notMatches === undefined || !host.notMatches.some((pattern) => reaches(pattern, fact)),
        ]),
      ),
    );
  }
  if (command !== undefined) {
    parts.push(
      over(facts.commands, how, (words) => {
        if (words.length === 0) return undefined;
        const program = words[0]?.split('/').at(-1) ?? '';
        const begins = command.prefix === undefined || command.prefix.some((prefix) => prefix.every((word, at) => words[at] === word));
        return begins && (command.program === undefined || command.program.includes(program));
      }),
    );
  }
  if (size !== undefined) parts.push(facts.contentBytes === undefined ? undefined : inRange(size, facts.contentBytes));
  if (condition.taint?.any !== undefined) parts.push(condition.taint.any.some((label) => taint.includes(label)));
  if (condition.taint?.none !== undefined) parts.push(!condition.taint.none.some((label) => taint.includes(label)));
  if (time !== undefined) parts.push(isOpen(time, request.at));
  for (const [place, value] of Object.entries(condition.args ?? {})) parts.push(argument(value, find(request.input, place), how));
  if (condition.not !== undefined) {
    const inner = truth(condition.not, request, how === 'all' ? 'some' : 'all');
    parts.push(inner === undefined ? undefined : !inner);
  }
  if (condition.any !== undefined) parts.push(or(condition.any.map((each) => truth(each, request, how))));
  return and(parts);
}

function below(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function globs(pattern: string[], names: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return names.length === 0;
  if (head === '**') return globs(rest, names) || (names.length > 0 && globs(pattern, names.slice(1)));
  return names.length > 0 && wild(head, names[0] ?? '') && globs(rest, names.slice(1));
}

function reaches(pattern: string, { host, port }: { host: string; port: number }): boolean {
  const [name = '', only] = pattern.split(':');
  if (only !== undefined && Number(only) !== port) return false;
  if (name === '*') return true;
  if (name.startsWith('**.')) return host === name.slice(3) || host.endsWith(name.slice(2));
  if (name.startsWith('*.')) return host.endsWith(name.slice(1)) && host.split('.').length === name.split('.').length;
  return host === name;
}

function inRange(
  range: { lt?: number | undefined; lte?: number | undefined; gt?: number | undefined; gte?: number | undefined },
  value: number,
): boolean {
  if (range.lt !== undefined && value >= range.lt) return false;
  if (range.lte !== undefined && value > range.lte) return false;
  if (range.gt !== undefined && value <= range.gt) return false;
  return range.gte === undefined || value >= range.gte;
}

function find(input: JsonObject, place: string): JsonValue | undefined {
  if (place === '') return input;
  return place.split('.').reduce<JsonValue | undefined>((value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.entries(value).find(([each]) => each === name)?.[1];
  }, input);
}

const same = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join()}}`; // biome-ignore format: one line
}

function argument(condition: ValueCondition, value: JsonValue | undefined, how: 'all' | 'some'): Maybe {
  const { exists, equals, in: among, notIn, startsWith, endsWith, contains, regex, lt, lte, gt, gte } = condition;
  const parts: Maybe[] = [];
  if (exists !== undefined) parts.push((value !== undefined) === exists);
  const { exists: _, ...others } = condition;
  if (Array.isArray(equals)) {
    parts.push(value === undefined ? undefined : same(equals, value));
    delete (others as { equals?: unknown }).equals; // A copy of our own.
  }
  if (Object.values(others).every((each) => each === undefined)) return and(parts);
  if (value === undefined) return and([...parts, undefined]);
  const ofText = (each: JsonValue, test: (text: string) => boolean): Maybe => (typeof each === 'string' ? test(each) : undefined);
  const each = (one: JsonValue): Maybe =>
    and([
      equals === undefined || Array.isArray(equals) || same(equals, one),
      among === undefined || among.some((other) => same(other, one)),
      notIn === undefined || !notIn.some((other) => same(other, one)),
      startsWith === undefined || ofText(one, (text) => text.startsWith(startsWith)),
      endsWith === undefined || ofText(one, (text) => text.endsWith(endsWith)),
      contains === undefined || ofText(one, (text) => text.includes(contains)),
      regex === undefined || ofText(one, (text) => new RegExp(regex, 'u').test(text)),
      [lt, lte, gt, gte].every((bound) => bound === undefined) || (typeof one === 'number' ? inRange(condition, one) : undefined),
    ]);
  return and([...parts, over(Array.isArray(value) ? value : [value], how, each)]);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function isOpen({ zone = 'UTC', days, from = '00:00', to = '24:00' }: NonNullable<Condition['time']>, at: number): boolean {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'long', hour: '2-digit', minute: '2-digit' });
  formats.set(zone, format);
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const now = `${parts['hour']}:${parts['minute']}`;
  const week = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  const today = week.findIndex((day) => parts['weekday']?.toLowerCase().startsWith(day));
  const began = from < to ? (now >= from && now < to ? today : -1) : now >= from ? today : now < to ? (today + 6) % 7 : -1;
  const day = week[began];
  return day !== undefined && (days === undefined || days.includes(day));
}

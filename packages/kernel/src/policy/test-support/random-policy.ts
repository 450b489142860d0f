/** Rules and requests over small alphabets, so that most requests meet several rules and every part of a condition is decided both ways. */
import type { JsonObject, JsonValue } from '../../internal/json.ts';
import type { Allowance, Condition, PathCondition, PolicyFile, PolicyRequest, Rule, Tier, ValueCondition } from '../policy.ts';

/** From 0, below this. */
export type Dice = (below: number) => number;

/** The same throws for the same seed. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export const WORKSPACE = 'acme';
const TIERS: Tier[] = ['autonomous', 'notify', 'approval_required', 'blocked'];
const CAPABILITIES = ['fs.read', 'fs.write', 'fs.deep.move', 'net.get', 'run'];
const PATTERNS = ['*', '*', 'fs.*', 'fs.*', 'fs.deep.*', 'net.*', ...CAPABILITIES];
const AGENTS = ['ann', 'bob', 'bobby', ''];
const AGENT_PATTERNS = ['ann', 'bob', 'bob*', '*', '*n', 'b*b*'];
const TAGS = ['write', 'read', 'net'];
const PATHS = ['/', '/a', '/a/b', '/a/b/c.txt', '/a/bc', '/w', '/w/x', '/w/x/y.txt', '/w/x.txt', '/q'];
const GLOBS = ['/**', '/a/**', '/*/b', '/**/x', '/w/*.txt', '/a/**/*.txt', '/**/*.txt', '/*/*'];
const HOSTS = ['x.io', 'a.x.io', 'b.a.x.io', 'y.org', 'localhost', 'ax.io'];
const HOST_PATTERNS = ['*', '*:443', 'x.io', 'x.io:443', '*.x.io', '**.x.io', '**.x.io:80', '**.a.x.io', 'localhost', 'y.org'];
const COMMANDS = [[], ['git', 'push'], ['/usr/bin/git', 'pull'], ['git', 'push', '--force'], ['npm', 'test'], ['ls']];
const VALUES: JsonValue[] = [1, 2, 5, 'abc', 'abd', 'xbc', '', true, null, ['abc'], ['abc', 'xbc'], ['abc', 5], [], { k: 1 }, { k: 'abc' }];
const PLACES = ['p', 'q', 'o.p', '__proto__', 'constructor', ''];
const LABELS = ['web', 'mail', 'file'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', undefined];
const TIMES = ['00:00', '02:30', '06:00', '09:00', '17:30', '22:00', '23:59'];
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const GROUPS = ['ops', 'leads', 'security'];
const DIMENSIONS = ['calls', 'calls', 'cost_micro', 'net_bytes', 'constructor'];
export const YEAR_START = Date.UTC(2026, 0, 1);

function pick<Item>(dice: Dice, items: readonly Item[]): Item {
  return items[dice(items.length)] as Item; // Within the list.
}

function some<Item>(dice: Dice, items: readonly Item[], max = 2): Item[] {
  return Array.from({ length: 1 + dice(max) }, () => pick(dice, items));
}

function maybe<Value>(dice: Dice, oneIn: number, make: () => Value): Value | undefined {
  return dice(oneIn) === 0 ? make() : undefined;
}

/** Rules of all layers, some of other workspaces and agents. */
export function randomFiles(dice: Dice, rulesMax: number): readonly PolicyFile[] {
  const layers = ['system', 'organization', 'organization', 'workspace', 'workspace', 'agent', 'agent', 'agent'] as const;
  return layers.flatMap((layer, index) => {
    if (dice(3) === 0) return [];
    const of = layer === 'workspace' ? (index === 3 ? WORKSPACE : 'other') : layer === 'agent' ? AGENTS[index - 5] : undefined;
    const rules = Array.from({ length: dice(rulesMax + 1) }, (_, at) => ({
      rule: randomRule(dice, layer === 'agent', `r${at}`),
      line: at * 3 + 2,
    }));
    return [{ layer, file: `${index}.yaml`, of, defaultTier: maybe(dice, 2, () => pick(dice, TIERS)), rules }];
  });
}

function randomRule(dice: Dice, isOfAgent: boolean, id: string): Rule {
  const tierAt = dice(4);
  return {
    id: maybe(dice, 2, () => id),
    capability: some(dice, PATTERNS),
    tags: maybe(dice, 5, () => some(dice, TAGS)),
    agent: maybe(dice, 3, () => some(dice, AGENT_PATTERNS)),
    when: dice(6) === 0 ? undefined : randomCondition(dice, 3),
    tier: pick(dice, TIERS.slice(tierAt, tierAt + 1)),
    reason: maybe(dice, 4, () => `because ${id}`),
    exception: !isOfAgent && dice(5) === 0 ? true : undefined,
    limit: maybe(dice, 3, () => ({
      what: pick(dice, DIMENSIONS),
      max: 1 + dice(6),
      perMs: 1_000 * (1 + dice(100)),
      onExceed: pick(dice, TIERS.slice(tierAt)),
    })),
    ask: maybe(dice, 2, () => ({
      ...(dice(2) === 0 ? { quorum: 1 + dice(3) } : {}),
      ...(dice(2) === 0 ? { approvers: dice(4) === 0 ? [] : some(dice, GROUPS) } : {}),
      ...(dice(2) === 0 ? { expiresMs: 10_000 * (1 + dice(5)) } : {}),
      ...(dice(3) === 0 ? { escalate: { afterMs: 1_000, to: some(dice, GROUPS) } } : {}),
    })),
  };
}

export function randomCondition(dice: Dice, depth: number): Condition {
  for (;;) {
    const condition: Condition = {
      path: maybe(dice, 5, () => randomPath(dice)),
      host: maybe(dice, 8, () => (dice(3) === 0 ? { notMatches: some(dice, HOST_PATTERNS) } : { matches: some(dice, HOST_PATTERNS) })),
      command: maybe(dice, 10, () =>
        dice(2) === 0 ? { program: some(dice, ['git', 'npm']) } : { prefix: some(dice, [['git', 'push'], ['npm']]) },
      ),
      size: maybe(dice, 12, () => (dice(2) === 0 ? { lt: 1 + dice(4) } : { gte: dice(4) })),
      args: maybe(dice, 4, () => randomArguments(dice)),
      taint: maybe(dice, 8, () => (dice(2) === 0 ? { any: some(dice, LABELS) } : { none: some(dice, LABELS) })),
      time: maybe(dice, 10, () => randomTime(dice)),
      not: depth > 1 ? maybe(dice, 6, () => randomCondition(dice, depth - 1)) : undefined,
      any: depth > 1 ? maybe(dice, 8, () => [randomCondition(dice, depth - 1), randomCondition(dice, depth - 1)]) : undefined,
    };
    if (Object.values(condition).some((part) => part !== undefined)) return condition;
  }
}

function randomPath(dice: Dice): PathCondition {
  const kind = dice(4);
  const part = kind === 0 ? { glob: some(dice, GLOBS) } : kind === 1 ? { notUnder: some(dice, PATHS) } : { under: some(dice, PATHS) };
  return { ...part, mode: maybe(dice, 4, () => pick(dice, ['r', 'rw'] as const)) };
}

function randomArguments(dice: Dice): Record<string, ValueCondition> {
  return Object.fromEntries(some(dice, PLACES).map((place) => [place, randomValueCondition(dice)]));
}

function randomValueCondition(dice: Dice): ValueCondition {
  const kinds: (() => ValueCondition)[] = [
    () => ({ equals: pick(dice, VALUES) }),
    () => ({ in: some(dice, VALUES, 3) }),
    () => ({ notIn: some(dice, VALUES, 3) }),
    () => ({ startsWith: pick(dice, ['a', 'ab', 'x']) }),
    () => ({ endsWith: pick(dice, ['c', 'bc', 'd']) }),
    () => ({ contains: 'b' }),
    () => ({ regex: pick(dice, ['^a.c$', 'b[cd]', '^$']) }),
    () => ({ exists: dice(2) === 0 }),
    () => ({ gt: 1, lte: 4 + dice(2) }),
  ];
  const first = pick(dice, kinds)();
  return dice(4) === 0 ? { ...first, ...pick(dice, kinds)() } : first;
}

function randomTime(dice: Dice): NonNullable<Condition['time']> {
  for (;;) {
    const from = maybe(dice, 2, () => pick(dice, TIMES));
    const to = maybe(dice, 2, () => pick(dice, [...TIMES, '24:00']));
    const days = maybe(dice, 2, () => some(dice, DAYS, 5));
    if ((from ?? '00:00') !== to && [from, to, days].some((part) => part !== undefined)) return { zone: pick(dice, ZONES), days, from, to };
  }
}

export function randomRequest(dice: Dice): PolicyRequest {
  const list = <Item>(items: readonly Item[], max: number): Item[] => Array.from({ length: dice(max + 1) }, () => pick(dice, items));
  return {
    capability: pick(dice, CAPABILITIES),
    tags: list(TAGS, 2),
    agent: pick(dice, AGENTS),
    input: randomInput(dice),
    facts: {
      paths: list(PATHS, 3).map((path) => ({ path, mode: path === '/' || dice(2) === 0 ? 'r' : 'rw' })),
      hosts: list(HOSTS, 2).map((host) => ({ host, port: pick(dice, [80, 443]) })),
      commands: list(COMMANDS, 2),
      contentBytes: maybe(dice, 2, () => dice(5)),
      estimate: dice(2) === 0 ? {} : { cost_micro: dice(4), net_bytes: dice(9) },
    },
    taint: list(LABELS, 2),
    at: YEAR_START + dice(366) * 86_400_000 + dice(1_440) * 60_000 + dice(60_000),
    defaultTier: pick(dice, TIERS),
  };
}

function randomInput(dice: Dice): JsonObject {
  const input: Record<string, JsonValue> = {};
  if (dice(4) > 0) input['p'] = pick(dice, VALUES);
  if (dice(2) === 0) input['q'] = pick(dice, VALUES);
  if (dice(2) === 0) input['o'] = dice(3) === 0 ? pick(dice, VALUES) : { p: pick(dice, VALUES) };
  if (dice(6) === 0) Object.defineProperty(input, '__proto__', { value: pick(dice, VALUES), enumerable: true });
  return input;
}

export function randomAllowances(dice: Dice): readonly Allowance[] {
  return Array.from({ length: dice(3) }, (_, index) => ({
    id: `allow-${index}`,
    agent: pick(dice, AGENTS),
    capability: pick(dice, CAPABILITIES),
    when: maybe(dice, 2, () => randomCondition(dice, 2)),
    expiresAt: YEAR_START + dice(500) * 86_400_000,
  }));
}

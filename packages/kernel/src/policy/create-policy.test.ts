import { isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../internal/json.ts';
import { checkPolicy } from './check/check-policy.ts';
import { createPolicy } from './create-policy.ts';
import {
  type Allowance,
  type Condition,
  type CounterRef,
  DEFAULT_ASK,
  type Decision,
  type Layer,
  NO_FACTS,
  type PolicyFile,
  type PolicyRequest,
  type ReadCounter,
  type Rule,
  type Tier,
} from './policy.ts';
import { RULES_MAX, SEARCHED_TEXT_MAX, VALUES_MAX } from './policy-bounds.ts';

const NOTHING_COUNTED: ReadCounter = () => ({ amount: 0, oldestAt: undefined });

function fileOf(layer: Layer, rules: readonly Partial<Rule>[], more: Partial<PolicyFile> = {}): PolicyFile {
  return {
    layer,
    file: `${layer}.yaml`,
    of: layer === 'agent' ? 'ann' : layer === 'workspace' ? 'acme' : undefined,
    defaultTier: undefined,
    rules: rules.map((rule, index) => ({ rule: { capability: ['*'], tier: 'autonomous', ...rule }, line: 10 * (index + 1) })),
    ...more,
  };
}

const policyOf = (...files: readonly PolicyFile[]) => createPolicy(files, { version: 'v1', workspace: 'acme' });

function requestOf(more: Partial<PolicyRequest> = {}): PolicyRequest {
  return { capability: 'fs.write', tags: [], agent: 'ann', input: {}, facts: NO_FACTS, taint: [], at: 0, defaultTier: 'notify', ...more };
}

const paths = (...list: readonly string[]): Partial<PolicyRequest> => ({
  facts: { ...NO_FACTS, paths: list.map((path) => ({ path, mode: 'rw' })) },
});
const hosts = (...list: readonly string[]): Partial<PolicyRequest> => ({
  facts: { ...NO_FACTS, hosts: list.map((host) => ({ host, port: 443 })) },
});

/** Whether a rule of this tier and condition matches. */
function matches(tier: Tier, when: Condition, request: Partial<PolicyRequest>): boolean {
  const decision = policyOf(fileOf('system', [{ tier, when }])).decide(requestOf(request), NOTHING_COUNTED);
  return decision.rule?.rule === 'rules[0]';
}

function problems(...files: readonly PolicyFile[]): readonly string[] {
  return checkPolicy(files).map(({ kind, message }) => `${kind}: ${message}`);
}

describe('layers', () => {
  it('take the first rule of a file and the strictest of all files', () => {
    const policy = policyOf(
      fileOf('agent', [{ tier: 'notify' }]),
      fileOf('system', [{ capability: ['fs.*'], tier: 'autonomous', id: 'files' }, { tier: 'blocked' }]),
      fileOf('organization', [{ tier: 'notify', reason: 'we want to know' }]),
    );
    const decision = policy.decide(requestOf(), NOTHING_COUNTED);
    expect(decision).toEqual({
      tier: 'notify',
      rule: { layer: 'organization', file: 'organization.yaml', line: 10, rule: 'rules[0]', reason: 'we want to know' },
      opinions: [
        { tier: 'autonomous', rule: { layer: 'system', file: 'system.yaml', line: 10, rule: 'files', reason: undefined } },
        { tier: 'notify', rule: expect.objectContaining({ layer: 'organization' }) },
        { tier: 'notify', rule: expect.objectContaining({ layer: 'agent' }) },
      ],
      exception: undefined,
      exceeded: undefined,
      counters: [],
      ask: DEFAULT_ASK,
    } satisfies Decision);
    expect(policy.version).toBe('v1');
  });

  it('keep files of other workspaces and agents out', () => {
    const others = [fileOf('workspace', [{ tier: 'blocked' }], { of: 'other' }), fileOf('agent', [{ tier: 'blocked' }], { of: 'bob' })];
    expect(policyOf(...others).decide(requestOf(), NOTHING_COUNTED)).toMatchObject({ tier: 'notify', rule: undefined, opinions: [] });
  });

  it('fall back on the default of a file, then on the definition', () => {
    const file = fileOf('system', [], { defaultTier: 'approval_required', defaultLine: 3 });
    const decision = policyOf(file).decide(requestOf(), NOTHING_COUNTED);
    expect(decision).toMatchObject({ tier: 'approval_required', rule: { rule: 'default', line: 3 } });
    expect(policyOf().decide(requestOf({ defaultTier: 'blocked' }), NOTHING_COUNTED)).toMatchObject({ tier: 'blocked', rule: undefined });
  });

  it('let an exception set aside what stands below it, and nothing above', () => {
    const exception = fileOf('organization', [{ tier: 'autonomous', exception: true }]);
    const strict = fileOf('workspace', [{ tier: 'blocked', limit: { what: 'calls', max: 1, perMs: 1_000, onExceed: 'blocked' } }]);
    const below = policyOf(exception, strict).decide(requestOf(), NOTHING_COUNTED);
    expect(below).toMatchObject({ tier: 'autonomous', exception: { layer: 'organization' }, counters: [] });
    expect(below.opinions).toHaveLength(2);
    const above = policyOf(exception, fileOf('system', [{ tier: 'blocked' }])).decide(requestOf(), NOTHING_COUNTED);
    expect(above).toMatchObject({ tier: 'blocked', exception: undefined });
  });

  it('end an exception whose limit is reached', () => {
    const limit = { what: 'calls', max: 1, perMs: 60_000, onExceed: 'notify' } as const;
    const policy = policyOf(fileOf('organization', [{ exception: true, limit }]), fileOf('workspace', [{ tier: 'blocked' }]));
    expect(policy.decide(requestOf(), NOTHING_COUNTED).tier).toBe('autonomous');
    const decision = policy.decide(requestOf({ at: 10_000 }), () => ({ amount: 1, oldestAt: 0 }));
    expect(decision).toMatchObject({
      tier: 'blocked',
      rule: { layer: 'workspace' },
      exceeded: { rule: { layer: 'organization' }, retryAfterMs: 50_000 },
    });
  });
});

describe('limits', () => {
  const limited = (limit: Partial<Rule['limit'] & object>): PolicyFile =>
    fileOf('system', [{ limit: { what: 'calls', max: 3, perMs: 60_000, onExceed: 'blocked', ...limit } }]);
  const counted =
    (amount: number, oldestAt?: number): ReadCounter =>
    () => ({ amount, oldestAt });

  it.each([
    [2, 'autonomous'],
    [3, 'blocked'],
    [4, 'blocked'],
    [Number.NaN, 'blocked'],
  ] as const)('after %d calls of three: %s', (amount, tier) => {
    expect(policyOf(limited({})).decide(requestOf(), counted(amount)).tier).toBe(tier);
  });

  it.each([
    [{}, 'autonomous'],
    [{ cost: 2 }, 'autonomous'],
    [{ cost: 3 }, 'blocked'],
    [{ cost: Number.NaN }, 'blocked'],
    [{ cost: -100 }, 'autonomous'],
  ] as const)('leave room for what a call is estimated to use: %j', (estimate, tier) => {
    const decision = policyOf(limited({ what: 'cost' })).decide(requestOf({ facts: { ...NO_FACTS, estimate } }), counted(1));
    expect(decision.tier).toBe(tier);
  });

  it('say where to count and when there is room again', () => {
    const decision = policyOf(limited({ onExceed: 'approval_required' })).decide(requestOf({ at: 30_000 }), counted(3, 10_000));
    const counter = { key: expect.stringContaining('ann'), perMs: 60_000, what: 'calls', max: 3 };
    expect(decision).toMatchObject({ tier: 'approval_required', exceeded: { counter, retryAfterMs: 40_000 }, counters: [counter] });
  });

  it('have a counter for each rule, agent and limit', () => {
    const keyOf = (file: PolicyFile, agent: string): string => {
      const keys: CounterRef[] = [];
      policyOf(file).decide(requestOf({ agent }), (counter) => {
        keys.push(counter);
        return { amount: 0, oldestAt: undefined };
      });
      return keys.map(({ key }) => key).join();
    };
    const keys = [
      keyOf(limited({}), 'ann'),
      keyOf(limited({}), 'bob'),
      keyOf(limited({ max: 4 }), 'ann'),
      keyOf(limited({ perMs: 1_000 }), 'ann'),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keyOf(limited({}), 'ann')).toBe(keys[0]);
  });
});

describe('allowances', () => {
  const allowance: Allowance = { id: 'a1', agent: 'ann', capability: 'fs.write', when: undefined, expiresAt: 100 };
  const decide = (tier: Tier, given: Partial<Allowance>, request: Partial<PolicyRequest> = {}): Decision =>
    policyOf(fileOf('system', [{ tier }])).decide(requestOf(request), NOTHING_COUNTED, [{ ...allowance, ...given }]);

  it('answer a question', () => {
    expect(decide('approval_required', {})).toMatchObject({ tier: 'notify', rule: { layer: 'allowance', rule: 'a1' }, ask: DEFAULT_ASK });
  });

  it.each<[string, Tier, Partial<Allowance>, Partial<PolicyRequest>]>([
    ['what is blocked', 'blocked', {}, {}],
    ['another agent', 'approval_required', { agent: 'bob' }, {}],
    ['another capability', 'approval_required', { capability: 'fs.*' }, {}],
    ['when they have ended', 'approval_required', {}, { at: 100 }],
    ['without what they ask for', 'approval_required', { when: { path: { under: ['/w'] } } }, {}],
    ['when one path is elsewhere', 'approval_required', { when: { path: { under: ['/w'] } } }, paths('/w/a', '/x')],
    ['with a condition that is not valid', 'approval_required', { when: { args: { p: { regex: '(' } } } }, { input: { p: '(' } }],
  ])('do not answer for %s', (_, tier, given, request) => {
    expect(decide(tier, given, request).tier).toBe(tier);
  });
});

describe('terms of asking', () => {
  const ask = (...terms: readonly Rule['ask'][]): unknown => {
    const layers = ['system', 'organization', 'workspace'] as const;
    return policyOf(...terms.map((each, index) => fileOf(layers[index] ?? 'agent', [{ tier: 'approval_required', ask: each }]))).decide(
      requestOf(),
      NOTHING_COUNTED,
    ).ask;
  };

  it('are the strictest of all', () => {
    const escalate = { afterMs: 1_000, to: ['boss'] };
    expect(
      ask({ quorum: 2, approvers: ['a', 'b'], escalate }, { approvers: ['b', 'c'], expiresMs: 9_000 }, { quorum: 1, expiresMs: 5_000 }),
    ).toEqual({
      quorum: 2,
      approvers: ['b'],
      expiresMs: 5_000,
      escalate,
    });
    expect(ask(undefined, { expiresMs: 900_000_000 })).toEqual({ ...DEFAULT_ASK, expiresMs: 900_000_000 });
  });

  it('never become everybody when groups have nothing in common', () => {
    expect(ask({ approvers: ['a'] }, { approvers: ['b'] })).toMatchObject({ approvers: ['a'] });
  });
});

describe('conditions on several values', () => {
  const under: Condition = { path: { under: ['/w'] } };
  const outside: Condition = { not: under };
  it.each<[Tier, Condition, readonly string[], boolean]>([
    ['autonomous', under, ['/w/a', '/w/b'], true],
    ['autonomous', under, ['/w/a', '/x'], false],
    ['blocked', under, ['/w/a', '/x'], true],
    ['blocked', under, ['/x', '/y'], false],
    ['autonomous', outside, ['/x', '/y'], true],
    ['autonomous', outside, ['/x', '/w/a'], false],
    ['blocked', outside, ['/w/a', '/x'], true],
    ['blocked', outside, ['/w/a', '/w/b'], false],
    ['notify', { not: outside }, ['/w/a', '/x'], false],
    ['approval_required', { not: outside }, ['/w/a', '/x'], true],
    ['autonomous', { path: { notUnder: ['/w'] } }, ['/x', '/w'], false],
    ['blocked', { path: { notUnder: ['/w'] } }, ['/x', '/w'], true],
    ['autonomous', under, ['/ww'], false],
  ])('%s %j of %j: %s', (tier, when, list, expected) => {
    expect(matches(tier, when, paths(...list))).toBe(expected);
  });

  it.each<[Condition]>([
    [under],
    [outside],
    [{ not: outside }],
    [{ path: { notUnder: ['/w'] } }],
    [{ host: { notMatches: ['x.io'] } }],
    [{ not: { host: { matches: ['x.io'] } } }],
    [{ not: { command: { program: ['rm'] } } }],
    [{ not: { size: { gt: 1 } } }],
    [{ args: { p: { notIn: [1] } } }],
    [{ not: { args: { p: { equals: 1 } } } }],
    [{ args: { __proto__x: { exists: true } } }],
  ])('match nothing where there is nothing: %j', (when) => {
    for (const tier of ['autonomous', 'blocked'] as const) expect(matches(tier, when, {})).toBe(false);
  });

  it.each<[Tier, JsonValue, boolean]>([
    ['autonomous', ['a@corp.io', 'b@corp.io'], true],
    ['autonomous', ['a@corp.io', 'b@evil.io'], false],
    ['blocked', ['a@corp.io', 'b@evil.io'], true],
    ['autonomous', ['a@corp.io', 5], false],
    ['autonomous', [], false],
    ['autonomous', { to: 'a@corp.io' }, false],
  ])('%s when an argument ends in a domain: %j', (tier, to, expected) => {
    expect(matches(tier, { args: { to: { endsWith: '@corp.io' } } }, { input: { to } })).toBe(expected);
  });
});

describe('times', () => {
  const night: Condition = { time: { zone: 'Europe/Berlin', days: ['fri'], from: '22:00', to: '06:00' } };
  it.each<[string, boolean]>([
    ['2026-11-20T20:59:00Z', false],
    ['2026-11-20T21:00:00Z', true],
    ['2026-11-21T04:59:59Z', true],
    ['2026-11-21T05:00:00Z', false],
    ['2026-11-20T04:00:00Z', false],
    ['2026-11-21T22:00:00Z', false],
    // Summer time: the same clock, an hour earlier.
    ['2026-07-17T20:00:00Z', true],
    ['2026-07-18T04:00:00Z', false],
  ])('over midnight belong to the day they began: %s', (at, expected) => {
    expect(matches('blocked', night, { at: Date.parse(at) })).toBe(expected);
  });

  it.each<[string, boolean]>([
    // 2026-03-29: the clock goes from 02:00 to 03:00. 2026-10-25: it shows 02:30 twice.
    ['2026-03-29T00:59:00Z', false],
    ['2026-03-29T01:00:00Z', false],
    ['2026-10-25T00:30:00Z', true],
    ['2026-10-25T01:30:00Z', true],
    ['2026-10-25T02:00:00Z', false],
  ])('follow the clock on the wall when it is set: %s', (at, expected) => {
    expect(matches('blocked', { time: { zone: 'Europe/Berlin', from: '02:00', to: '03:00' } }, { at: Date.parse(at) })).toBe(expected);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 9e15])('are unknown at %d', (at) => {
    for (const when of [night, { not: night }]) expect(matches('blocked', when, { at })).toBe(false);
  });
});

describe('what no file can allow', () => {
  const generous = policyOf(fileOf('system', [{ exception: true }]));
  it.each<[string, Partial<PolicyRequest>]>([
    ['secrets.read_raw', { capability: 'secrets.read_raw' }],
    ['audit.truncate', { capability: 'audit.truncate' }],
    ['state.read_private', { capability: 'state.read_private' }],
    ...['/', '/etc', '/etc/passwd', '/usr/x', '/lib64/x', '/root/.ssh', '/var/x', '/dev/null', '/proc/1/mem', '/run/x'].map(
      (path): [string, Partial<PolicyRequest>] => [path, paths('/w', path)],
    ),
    ...['/w/../etc/x', '//etc', '/w/', '/w/./x', 'etc', '', '/w\0', '/w/..'].map((path): [string, Partial<PolicyRequest>] => [
      path,
      paths(path),
    ]),
    ...['X.io', 'x.io.', 'x io', 'ｘ.io', 'x.io/', 'a@x.io', ''].map((host): [string, Partial<PolicyRequest>] => [host, hosts(host)]),
    ['rm -rf /', { facts: { ...NO_FACTS, commands: [['ls'], ['rm', '-rf', '/']] } }],
  ])('%j', (_, request) => {
    const decision = generous.decide(requestOf(request), NOTHING_COUNTED, [
      { id: 'a', agent: 'ann', capability: 'fs.write', when: undefined, expiresAt: 1 },
    ]);
    expect(decision).toMatchObject({ tier: 'blocked', rule: { layer: 'builtin', file: '', line: 0, reason: expect.any(String) } });
  });

  it('leaves reading, and names that only begin alike', () => {
    const reading = { facts: { ...NO_FACTS, paths: [{ path: '/etc/hosts', mode: 'r' as const }] } };
    for (const request of [reading, paths('/etcetera/x', '/w/etc'), { capability: 'audit.write_more' }]) {
      expect(generous.decide(requestOf(request), NOTHING_COUNTED).tier).toBe('autonomous');
    }
  });

  it('is in the outlook', () => {
    expect(generous.outlook({ capability: 'secrets.export', tags: [], agent: '', defaultTier: 'notify' })).toEqual({
      mildest: 'blocked',
      strictest: 'blocked',
    });
  });
});

describe('outlook', () => {
  it('tells the mildest and the strictest', () => {
    const policy = policyOf(
      fileOf('system', [
        { tier: 'blocked', when: { taint: { any: ['web'] } } },
        { tier: 'autonomous', limit: { what: 'calls', max: 1, perMs: 1_000, onExceed: 'approval_required' } },
      ]),
      fileOf('agent', [{ tier: 'notify' }]),
    );
    expect(policy.outlook({ capability: 'fs.write', tags: [], agent: 'ann', defaultTier: 'blocked' })).toEqual({
      mildest: 'notify',
      strictest: 'blocked',
    });
  });
});

describe('problems', () => {
  const bad = (rule: Partial<Rule>, layer: Layer = 'system'): readonly string[] => problems(fileOf(layer, [rule]));
  it.each<[string, Partial<Rule>]>([
    ['zone', { when: { time: { zone: 'Mars/Base', days: ['mon'] } } }],
    ['time', { when: { time: { from: '9:00' } } }],
    ['time', { when: { time: { from: '24:00' } } }],
    ['no length', { when: { time: { from: '09:00', to: '09:00' } } }],
    ['back references', { when: { args: { p: { regex: '(a)\\1' } } } }],
    ['look around', { when: { args: { p: { regex: '(?=a)' } } } }],
    ['look around', { when: { args: { p: { regex: '(?<=a)b' } } } }],
    ['1001 characters', { when: { args: { p: { regex: 'a'.repeat(1_001) } } } }],
    ['instructions', { when: { args: { p: { regex: 'a{1000}'.repeat(100) } } } }],
    ['no host', { when: { host: { matches: ['X.io'] } } }],
    ['no host', { when: { host: { matches: ['*.com'] } } }],
    ['no host', { when: { host: { matches: ['a*.x.io'] } } }],
    ['no host', { when: { host: { matches: ['x.io:99999'] } } }],
    ['no host', { when: { host: { notMatches: ['х.io'] } } }],
    ['absolute path', { when: { path: { under: ['work'] } } }],
    ['absolute path', { when: { path: { under: ['/w/'] } } }],
    ['absolute path', { when: { path: { notUnder: ['/w/../x'] } } }],
    ['whole name', { when: { path: { glob: ['/w/**.txt'] } } }],
    ['patterns stand in', { when: { path: { under: ['/w/*'] } } }],
    ['on_exceed is notify, milder', { tier: 'blocked', limit: { what: 'calls', max: 1, perMs: 1_000, onExceed: 'notify' } }],
    ['limit.max', { limit: { what: 'calls', max: 0, perMs: 1_000, onExceed: 'blocked' } }],
    ['limit.per is 1ms, not', { limit: { what: 'calls', max: 1, perMs: 1, onExceed: 'blocked' } }],
    ['limit.what', { limit: { what: '', max: 1, perMs: 1_000, onExceed: 'blocked' } }],
    ['ask.quorum', { ask: { quorum: 0 } }],
    ['ask.expires is 0ms, not', { ask: { expiresMs: 0 } }],
    ['given to rules without', { id: 'rules[0]' }],
    ['empty list', { when: { any: [] } }],
    ['says nothing', { when: { not: {} } }],
    ['no number', { when: { size: { lt: 1, gt: 1 } } }],
    ['names no place', { when: { args: { 'a..b': { exists: true } } } }],
    ['capability', { capability: [] }],
    ['no name or pattern', { capability: ['fs.*.x'] }],
    ['tier is "maybe"', { tier: 'maybe' as Tier }],
  ])('name file and line: %s %j', (message, rule) => {
    expect(bad(rule)).toEqual([expect.stringMatching(/^error: system\.yaml:10: /)]);
    expect(bad(rule)[0]).toContain(message);
  });

  it('refuse conditions that are too deep or too many', () => {
    let when: Condition = { taint: { any: ['web'] } };
    for (let depth = 0; depth < 10_000; depth++) when = { not: when };
    expect(bad({ when })).toEqual([expect.stringContaining('nested deeper')]);
    expect(bad({ when: { any: Array.from({ length: 300 }, () => ({ taint: { any: ['web'] } })) } })).not.toEqual([]);
  });

  it('are all told, and the load refused', () => {
    const file = fileOf('agent', [{ exception: true }, { id: 'a' }, { id: 'a', ask: { quorum: -1 } }]);
    expect(problems(file)).toHaveLength(3);
    const thrown = attempt(() => createPolicy([file, file], { version: '' }));
    expect(isFault(thrown, 'invalid_argument')).toBe(true);
    expect(thrown).toMatchObject({
      message: expect.stringMatching(/agent\.yaml:10: .*agent\.yaml:30: .*agent\.yaml:30: /),
      details: { count: 7 },
    });
  });

  it('warn of rules that never match and of rules that contradict each other', () => {
    const wide = { path: { under: ['/w'] } };
    const file = fileOf('system', [
      { capability: ['fs.*'], when: wide },
      { capability: ['fs.read'], when: { path: { under: ['/w/x'] } } },
      { capability: ['fs.read'], when: { path: { under: ['/v'] } } },
      { capability: ['fs.read'], tier: 'blocked', when: wide },
      { capability: ['net.get'], agent: ['a*'] },
      { capability: ['net.get'], agent: ['ann'], tier: 'blocked' },
      { capability: ['net.get'], agent: ['a*'], tier: 'blocked' },
    ]);
    expect(problems(file)).toEqual([
      expect.stringMatching(/^warning: system\.yaml:20: can never match: the rule in line 10/),
      expect.stringMatching(/^warning: system\.yaml:60: can never match: the rule in line 50/),
      expect.stringMatching(/^warning: system\.yaml:70: says another tier than the rule in line 50/),
    ]);
  });
});

describe('hostile input', () => {
  const huge = 'a'.repeat(50_000_000);
  it.each<[string, Condition]>([
    ['regex', { args: { p: { regex: '(a+)+$' } } }],
    ['contains', { args: { p: { contains: 'ab' } } }],
    ['not regex', { not: { args: { p: { regex: 'b' } } } }],
  ])('is not searched beyond the bound, and then turned against the call: %s', (_, when) => {
    expect(matches('autonomous', when, { input: { p: huge } })).toBe(false);
    expect(matches('blocked', when, { input: { p: huge } })).toBe(true);
    expect(matches('blocked', when, { input: { p: ['a'.repeat(SEARCHED_TEXT_MAX), 'a'] } })).toBe(true);
    expect(matches('blocked', when, { input: { p: Array.from({ length: VALUES_MAX + 1 }, () => 1) } })).toBe(true);
  });

  it.each<[string, Condition]>([
    ['equals', { args: { p: { equals: 'a' } } }],
    ['in', { args: { p: { in: ['a', 'b'] } } }],
    ['startsWith', { args: { p: { startsWith: 'b' } } }],
    ['endsWith', { args: { p: { endsWith: 'b' } } }],
    ['lt', { args: { p: { lt: 1 } } }],
  ])('is compared in no time: %s', (_, when) => {
    const rules = Array.from({ length: 20 }, () => ({ tier: 'blocked', when }) as const);
    expect(policyOf(fileOf('system', rules)).decide(requestOf({ input: { p: huge } }), NOTHING_COUNTED).rule).toBeUndefined();
  });

  it('keeps the index and the bound on lists in agreement', () => {
    const rules = Array.from({ length: 50 }, (_, index) => ({ tier: 'blocked', when: { args: { p: { equals: `v${index}` } } } }) as const);
    const decision = policyOf(fileOf('system', rules)).decide(
      requestOf({ input: { p: Array.from({ length: VALUES_MAX + 1 }, () => 'x') } }),
      NOTHING_COUNTED,
    );
    expect(decision).toMatchObject({ tier: 'blocked', rule: { rule: 'rules[0]' } });
  });

  it('may be deep, or named like what objects inherit', () => {
    let deep: JsonObject = {};
    for (let depth = 0; depth < 10_000; depth++) deep = { p: deep };
    expect(matches('blocked', { args: { '': { equals: { p: { p: 1 } } } } }, { input: deep })).toBe(false);
    for (const place of ['__proto__', 'constructor', 'constructor.name', 'p.__proto__', 'toString']) {
      for (const tier of ['autonomous', 'blocked'] as const)
        expect(matches(tier, { args: { [place]: { exists: true } } }, { input: { p: {} } })).toBe(false);
    }
    expect(matches('blocked', JSON.parse('{"args":{"__proto__":{"equals":1}}}'), { input: JSON.parse('{"__proto__":1}') })).toBe(true);
  });

  it('does not pass for another host', () => {
    for (const host of ['evilx.io', 'x.io.evil.org', 'xn--x-io'])
      expect(matches('autonomous', { host: { matches: ['**.x.io'] } }, hosts(host))).toBe(false);
  });

  it('takes a regex time in proportion to the text', () => {
    const policy = policyOf(fileOf('system', [{ tier: 'blocked', when: { args: { p: { regex: '^(([a-z])+.)+[A-Z]([a-z])+$' } } } }]));
    for (const length of [16_384, 65_536, SEARCHED_TEXT_MAX]) {
      expect(policy.decide(requestOf({ input: { p: 'a'.repeat(length) } }), NOTHING_COUNTED).rule).toBeUndefined();
    }
  });
});

describe('very many rules', () => {
  it('are compiled and answered up to the limit, and refused beyond', () => {
    const rules = Array.from({ length: RULES_MAX }, (_, index) => ({
      capability: ['fs.write'],
      when: { path: { under: [`/w/${index}`] } },
    }));
    const policy = policyOf(fileOf('system', rules));
    expect(policy.decide(requestOf(paths('/w/77777/x')), NOTHING_COUNTED).rule?.rule).toBe('rules[77777]');
    const thrown = attempt(() => policyOf(fileOf('system', [...rules, {}])));
    expect(thrown).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('the limit is 100000') });
  });
});

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

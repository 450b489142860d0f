/**
 * The contract as it was promised, in contract-pin.json. A red test here asks "did you mean it?". What was only added is written down with
 * `UPDATE_PINS=1 vitest run test/contract-pin.test.ts`. What breaks somebody that command does not touch: whoever means it takes the
 * operation out of the file by hand, and says so in CHANGELOG.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  breachPolicy,
  exitKind,
  fileMode,
  OPERATIONS,
  parentEndPolicy,
  processSignal,
  processState,
  queueState,
  verifyContract,
} from '@warren/protocol/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { FILE_MODES } from '../packages/kernel/src/store/tables/file-table.ts';
import { BREACH_POLICIES } from '../packages/kernel/src/store/tables/ledger-table.ts';
import { EXIT_KINDS, PARENT_END_POLICIES, PROCESS_STATES, SIGNALS } from '../packages/kernel/src/store/tables/process-table.ts';
import { QUEUE_STATES } from '../packages/kernel/src/store/tables/queue-table.ts';
import { findBreakages, mergePins } from './contract-pin/find-breakages.ts';
import { type Pin, type PinnedOperation, pinOf } from './contract-pin/pin.ts';
import { printJson } from './contract-pin/print-json.ts';

const FILE = join(import.meta.dirname, 'contract-pin.json');

const METHODS = [
  'kernel.agent.create',
  'kernel.agent.get',
  'kernel.agent.list',
  'kernel.agent.terminate',
  'kernel.agent.transition',
  'kernel.api.list_methods',
  'kernel.api.version_info',
  'kernel.cap.check_fs',
  'kernel.cap.check_model',
  'kernel.cap.check_net',
  'kernel.cap.check_tool',
  'kernel.cap.create',
  'kernel.cap.derive',
  'kernel.cap.get',
  'kernel.events.append',
  'kernel.events.tail',
  'kernel.fs.delete',
  'kernel.fs.exists',
  'kernel.fs.gc_orphaned',
  'kernel.fs.list',
  'kernel.fs.read',
  'kernel.fs.set_mode',
  'kernel.fs.stat',
  'kernel.fs.write',
  'kernel.info',
  'kernel.ledger.charge',
  'kernel.ledger.check',
  'kernel.ledger.create',
  'kernel.ledger.get',
  'kernel.ledger.list_breached',
  'kernel.ledger.refund',
  'kernel.ledger.update_grant',
  'kernel.mbox.create',
  'kernel.mbox.delete',
  'kernel.mbox.gc_expired',
  'kernel.mbox.list_subscriptions',
  'kernel.mbox.peek',
  'kernel.mbox.publish',
  'kernel.mbox.recv',
  'kernel.mbox.send',
  'kernel.mbox.subscribe',
  'kernel.mbox.unsubscribe',
  'kernel.observe.proc',
  'kernel.observe.prometheus',
  'kernel.observe.summary',
  'kernel.observe.trace',
  'kernel.registry.list',
  'kernel.registry.lookup',
  'kernel.registry.register',
  'kernel.registry.unregister',
  'kernel.registry.unregister_pid',
  'kernel.sched.cancel',
  'kernel.sched.claim',
  'kernel.sched.complete',
  'kernel.sched.enqueue',
  'kernel.sched.gc_expired',
  'kernel.sched.get',
  'kernel.sched.list',
];

describe('the contract', () => {
  const current = pinOf(OPERATIONS);

  beforeAll(() => {
    if (process.env['UPDATE_PINS'] === '1') writeFileSync(FILE, printJson(mergePins(readPin(), current)));
  });

  it('has the 58 methods that earlier clients call', () => {
    expect(METHODS).toHaveLength(58);
    expect(verifyContract(METHODS)).toEqual({ missing: [], extra: [], by_tier: { stable: METHODS, experimental: [], deprecated: [] } });
  });

  it('has the words of the kernel', () => {
    const [contract, kernel] = [
      [processState, exitKind, parentEndPolicy, processSignal, queueState, breachPolicy, fileMode].map(({ options }) => options),
      [PROCESS_STATES, EXIT_KINDS, PARENT_END_POLICIES, SIGNALS, QUEUE_STATES, BREACH_POLICIES, FILE_MODES],
    ];
    expect(contract).toEqual(kernel);
  });

  it('breaks nothing that was promised', () => {
    expect(findBreakages(readPin(), current)).toEqual([]);
  });

  it('is written down as it is; if not, UPDATE_PINS=1 does that', () => {
    const pinned = readPin();
    const names = [...new Set([...Object.keys(pinned), ...Object.keys(current)])];
    expect(names.filter((name) => JSON.stringify(pinned[name]) !== JSON.stringify(current[name]))).toEqual([]);
  });
});

/** Read again each time: the file may just have been written. */
function readPin(): Pin {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Pin; // Ours.
}

/** An operation that has one of everything. */
const SAMPLE: PinnedOperation = {
  tier: 'stable',
  effect: 'idempotent',
  scope: { kind: 'process', pid: 'pid' },
  params: {
    type: 'object',
    properties: {
      pid: { type: 'integer' },
      name: { type: 'string', minLength: 1, maxLength: 100 },
      amount: { type: 'integer', minimum: 0, maximum: 10 },
      state: { type: 'string', enum: ['on', 'off'] },
      loose: { anyOf: [{ anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[0-9]+$' }] }, { type: 'null' }], default: 5 },
      tags: { type: 'array', items: { type: 'string', maxLength: 10 }, maxItems: 3 },
      table: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { type: 'integer' } },
      whose: {
        oneOf: [
          { type: 'object', properties: { kind: { type: 'string', const: 'a' }, pid: { type: 'integer' } }, required: ['kind', 'pid'] },
          { type: 'object', properties: { kind: { type: 'string', const: 'b' } }, required: ['kind'] },
        ],
      },
      flag: { type: ['boolean', 'null'], default: true },
    },
    required: ['pid', 'name'],
  },
  result: {
    type: 'object',
    properties: {
      pid: { type: 'integer' },
      state: { type: 'string', enum: ['on', 'off'] },
      ended_at: { type: ['number', 'null'] },
      entries: { type: 'array', items: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }, readOnly: true },
    },
    required: ['pid', 'state', 'entries'],
  },
};

// biome-ignore lint/suspicious/noExplicitAny: a test reaches into a schema it knows.
type Changeable = any;

function changed(change: (operation: Changeable) => void): PinnedOperation {
  const copy: Changeable = structuredClone(SAMPLE);
  change(copy);
  return copy;
}

const compareWith = (operation: PinnedOperation | undefined): readonly string[] =>
  findBreakages({ 'kernel.x': SAMPLE }, operation === undefined ? {} : { 'kernel.x': operation });

describe('findBreakages', () => {
  it.each<[string, (operation: Changeable) => void]>([
    ['nothing', () => {}],
    ['an optional parameter', ({ params }) => (params.properties.extra = { type: 'string' })],
    [
      'a field of the result',
      ({ result }) => {
        result.properties.extra = { type: 'string' };
        result.required.push('extra');
      },
    ],
    ['a field within', ({ result }) => (result.properties.entries.items.properties.extra = { type: 'null' })],
    ['a parameter that need not be given any more', ({ params }) => params.required.pop()],
    ['a field that is always there now', ({ result }) => result.required.push('ended_at')],
    ['a value that is taken', ({ params }) => params.properties.state.enum.push('idle')],
    ['any value that is taken', ({ params }) => delete params.properties.state.enum],
    ['fractions', ({ params }) => (params.properties.amount.type = 'number')],
    ['wider bounds', ({ params }) => Object.assign(params.properties.amount, { minimum: -1, maximum: 11 })],
    ['no bounds', ({ params }) => (params.properties.amount = { type: 'integer' })],
    ['longer text', ({ params }) => Object.assign(params.properties.name, { minLength: 0, maxLength: 101 })],
    ['longer lists', ({ params }) => (params.properties.tags.maxItems = 4)],
    ['another kind of value', ({ params }) => params.properties.loose.anyOf.push({ type: 'boolean' })],
    [
      'another alternative',
      ({ params }) => params.properties.whose.oneOf.push({ type: 'object', properties: { kind: { type: 'string', const: 'c' } } }),
    ],
    ['anything', ({ params }) => (params.properties.name = {})],
    ['a pattern less', ({ params }) => delete params.properties.loose.anyOf[0].anyOf[1].pattern],
    ['a default where there was none', ({ params }) => (params.properties.amount.default = 1)],
    ['its end announced', (operation) => (operation.tier = 'deprecated')],
  ])('lets %s be added', (_, change) => {
    expect(compareWith(changed(change))).toEqual([]);
  });

  it.each<[string, (operation: Changeable) => void, string]>([
    ['a tier lowered', (operation) => (operation.tier = 'experimental'), 'is experimental'],
    ['an effect changed', (operation) => (operation.effect = 'once'), 'the effect was idempotent and is once'],
    ['a scope changed', (operation) => (operation.scope = { kind: 'member' }), 'the scope was'],
    ['a scope widened', (operation) => (operation.scope.tree = true), 'the scope was'],
    ['a parameter removed', ({ params }) => delete params.properties.state, 'takes state: it was removed'],
    [
      'a parameter renamed',
      ({ params }) => {
        params.properties.names = params.properties.name;
        delete params.properties.name;
      },
      'takes name: it was removed',
    ],
    ['a parameter now required', ({ params }) => params.required.push('state'), 'takes state: it is required'],
    [
      'a new parameter that is required',
      ({ params }) => {
        params.properties.extra = {};
        params.required.push('extra');
      },
      'takes extra: it is required',
    ],
    ['another type', ({ params }) => (params.properties.pid.type = 'string'), 'takes pid: the type was "integer" and is "string"'],
    [
      'whole numbers only',
      ({ params }) => (params.properties.loose = { type: 'integer', default: 5 }),
      'takes loose: no longer {"type":"string"',
    ],
    ['null refused', ({ params }) => (params.properties.flag.type = 'boolean'), 'takes flag: no longer {"type":"null"}'],
    ['a value refused', ({ params }) => params.properties.state.enum.pop(), 'takes state: no longer "off"'],
    ['only some values', ({ params }) => (params.properties.name.enum = ['a']), 'takes name: no longer "anything"'],
    ['a larger minimum', ({ params }) => (params.properties.amount.minimum = 1), 'takes amount: minimum was 0 and is 1'],
    ['a smaller maximum', ({ params }) => (params.properties.amount.maximum = 9), 'takes amount: maximum was 10 and is 9'],
    ['a bound where there was none', ({ params }) => (params.properties.pid.minimum = 0), 'takes pid: minimum was nothing and is 0'],
    ['longer text only', ({ params }) => (params.properties.name.minLength = 2), 'takes name: minLength was 1 and is 2'],
    ['shorter text', ({ params }) => (params.properties.name.maxLength = 99), 'takes name: maxLength was 100 and is 99'],
    ['shorter lists', ({ params }) => (params.properties.tags.maxItems = 2), 'takes tags: maxItems was 3 and is 2'],
    [
      'shorter text in lists',
      ({ params }) => (params.properties.tags.items.maxLength = 9),
      'takes tags items of: maxLength was 10 and is 9',
    ],
    [
      'other values in tables',
      ({ params }) => (params.properties.table.additionalProperties.type = 'string'),
      'takes table additionalProperties of: the type',
    ],
    [
      'shorter keys of tables',
      ({ params }) => (params.properties.table.propertyNames.maxLength = 9),
      'takes table propertyNames of: maxLength',
    ],
    ['a pattern', ({ params }) => (params.properties.name.pattern = '^a'), 'takes name: pattern was nothing and is "^a"'],
    [
      'another pattern',
      ({ params }) => (params.properties.loose.anyOf[0].anyOf[1].pattern = '^1'),
      'takes loose: no longer {"type":"string"',
    ],
    ['an alternative removed', ({ params }) => params.properties.whose.oneOf.pop(), 'takes whose: no longer {"type":"object"'],
    [
      'more demanded of an alternative',
      ({ params }) => {
        params.properties.whose.oneOf[1].properties.x = {};
        params.properties.whose.oneOf[1].required.push('x');
      },
      'takes whose: no longer',
    ],
    ['another default', ({ params }) => (params.properties.flag.default = false), 'takes flag: the default was true and is false'],
    ['no default', ({ params }) => delete params.properties.loose.default, 'takes loose: the default was 5 and is nothing'],
    ['a field removed', ({ result }) => delete result.properties.ended_at, 'gives ended_at: it was removed'],
    [
      'a field within removed',
      ({ result }) => delete result.properties.entries.items.properties.id,
      'gives entries items of id: it was removed',
    ],
    [
      'a field renamed',
      ({ result }) => {
        result.properties.process = result.properties.pid;
        delete result.properties.pid;
      },
      'gives pid: it was removed',
    ],
    ['a field that may be missing', ({ result }) => result.required.pop(), 'gives entries: it was always there and is optional'],
    [
      'another type of a field',
      ({ result }) => (result.properties.pid.type = 'number'),
      'gives pid: the type was "integer" and is "number"',
    ],
    [
      'null where there was none',
      ({ result }) => (result.properties.pid.type = ['integer', 'null']),
      'gives pid: also {"type":"null"}, which nobody expects',
    ],
    ['never null', ({ result }) => (result.properties.ended_at.type = 'number'), 'gives ended_at: no longer {"type":"null"}'],
    ['a value nobody expects', ({ result }) => result.properties.state.enum.push('idle'), 'gives state: also "idle", which nobody expects'],
    ['any value', ({ result }) => delete result.properties.state.enum, 'gives state: also "anything"'],
    ['a value that was given', ({ result }) => result.properties.state.enum.pop(), 'gives state: no longer "off"'],
    ['other bounds of a field', ({ result }) => (result.properties.pid.minimum = 0), 'gives pid: minimum was nothing and is 0'],
  ])('catches %s', (_, change, words) => {
    const found = compareWith(changed(change));
    expect(found.join('\n')).toContain(words);
    expect(found.every((sentence) => sentence.startsWith('kernel.x'))).toBe(true);
  });

  it('catches an operation that was removed, or renamed', () => {
    expect(compareWith(undefined)).toEqual(['kernel.x was removed']);
    expect(findBreakages({ 'kernel.x': SAMPLE }, { 'kernel.y': SAMPLE })).toEqual(['kernel.x was removed']);
  });

  it('lets what is experimental change and go, and what is deprecated only go', () => {
    const pinned = (tier: PinnedOperation['tier']): Pin => ({ x: { ...SAMPLE, tier } });
    const other = { x: { ...SAMPLE, effect: 'read' as const } };
    expect([findBreakages(pinned('experimental'), {}), findBreakages(pinned('experimental'), other)]).toEqual([[], []]);
    expect(findBreakages(pinned('deprecated'), {})).toEqual([]);
    expect(findBreakages(pinned('deprecated'), other)).toContain('x: the effect was idempotent and is read');
  });

  it('throws at a word of JSON Schema it cannot compare', () => {
    expect(() => compareWith(changed(({ params }) => (params.properties.name.not = {})))).toThrow('nothing is known about not');
  });
});

describe('mergePins', () => {
  it('takes over what is new or wider, and drops nothing that is stable', () => {
    const wider = changed(({ params }) => (params.properties.extra = {}));
    const narrower = changed(({ params }) => params.required.push('state'));
    const pinned: Pin = { a: SAMPLE, b: SAMPLE, c: SAMPLE, d: { ...SAMPLE, tier: 'experimental' }, e: { ...SAMPLE, tier: 'experimental' } };
    const current: Pin = { a: wider, b: narrower, d: { ...narrower, tier: 'experimental' }, f: SAMPLE };
    expect(mergePins(pinned, current)).toEqual({ a: wider, b: SAMPLE, c: SAMPLE, d: { ...narrower, tier: 'experimental' }, f: SAMPLE });
  });
});

describe('printJson', () => {
  it('says the same, in lines that are short where they can be', () => {
    const value = { a: [1, 2], b: {}, c: 'x'.repeat(100), d: { e: null, f: [{ g: 'y'.repeat(100) }, 'z'.repeat(60)] } };
    expect(JSON.parse(printJson(value))).toEqual(value);
    expect(
      printJson(value)
        .split('\n')
        .every((line) => line.length <= 140),
    ).toBe(true);
    expect(printJson({ a: [1, 2], b: {} })).toBe('{ "a": [1, 2], "b": {} }\n');
  });
});

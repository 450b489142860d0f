import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { FAULTS, isFault } from '../fault.ts';
import { type JsonSchema, jsonSchema } from './json-schema.ts';
import { isOperationName, OPERATIONS, type OperationName, type Params, type ParamsInput, type Result } from './operations.ts';
import { parseParams } from './parse-params.ts';
import { arbitraryOf } from './test-support/arbitrary-of.ts';

const NAMES = Object.keys(OPERATIONS) as readonly OperationName[]; // Object.keys forgets the keys of a const table.

/** Everything a process may call, and for whom. Whatever is not here, a process may not. */
const OF_A_PROCESS: Readonly<Record<string, readonly OperationName[]>> = {
  'for anyone': [
    ...(['kernel.registry.lookup', 'kernel.registry.list', 'kernel.api.list_methods', 'kernel.api.version_info'] as const),
    ...(['capability.list', 'capability.describe', 'tool.list', 'tool.call'] as const),
  ],
  'for itself, by pid': [
    'kernel.events.append',
    'kernel.mbox.recv',
    'kernel.mbox.peek',
    'kernel.registry.unregister',
    'kernel.fs.write',
    'kernel.fs.read',
    'kernel.fs.stat',
    'kernel.fs.exists',
    'kernel.fs.delete',
    'kernel.fs.set_mode',
    'mail.receive',
    'mail.ack',
    'mail.reply',
    'file.write',
    'file.read',
    'file.history',
    'file.restore',
    ...(['call.make', 'call.result', 'call.cancel', 'capability.offered'] as const),
  ],
  'for itself, by sender_pid': ['kernel.mbox.send', 'kernel.mbox.publish', 'mail.send', 'mail.publish', 'mail.request'],
  'for itself and its descendants, by pid': [
    'kernel.agent.get',
    'kernel.agent.terminate',
    'kernel.events.tail',
    'kernel.cap.get',
    'kernel.cap.check_tool',
    'kernel.cap.check_model',
    'kernel.cap.check_net',
    'kernel.cap.check_fs',
    'kernel.ledger.check',
    'kernel.ledger.get',
    'kernel.sched.enqueue',
    'kernel.sched.list',
    'kernel.mbox.create',
    'kernel.mbox.delete',
    'kernel.mbox.subscribe',
    'kernel.mbox.unsubscribe',
    'kernel.mbox.list_subscriptions',
    'kernel.registry.register',
    'kernel.registry.unregister_pid',
    'kernel.fs.gc_orphaned',
    'kernel.observe.proc',
    'process.tree',
    'event.newest',
    'grant.narrow',
    'grant.revoke',
    'queue.enqueue',
    'taint.list',
  ],
  'for itself and its descendants, by parent_pid': ['kernel.agent.create', 'kernel.agent.list', 'kernel.cap.derive'],
  'for itself and its descendants, by owner_pid': ['kernel.fs.list'],
  'for its descendants, by pid': ['kernel.ledger.create', 'process.signal'],
};

/** What concerns more than one workspace. */
const OF_AN_OPERATOR: readonly OperationName[] = [
  'kernel.observe.prometheus',
  'ledger.workspace.create',
  'ledger.workspace.refund',
  'ledger.workspace.update_grant',
  'workspace.create',
  'workspace.delete',
  'workspace.list',
  'workspace.update',
  'token.create_operator',
  'person.create_operator',
  'capability.reload',
  'mcp_server.list',
  'mcp_server.get',
  'mcp_server.reload',
  'mcp_server.begin_login',
  'mcp_server.finish_login',
  'mcp_server.approve',
  'mcp_server.remove',
  'policy.reload',
  'policy.simulate',
  'hook.list',
  'hook.test',
  'skill.add',
  'skill.approve',
  'skill.remove',
  'skill.test',
  'vault.status',
  'vault.unlock',
  'vault.change_passphrase',
  'vault.rotate_root',
  'daemon.status',
  'daemon.stop',
  'store.check',
  'store.backup',
];

describe('OPERATIONS', () => {
  it('are frozen, the table and each of them', () => {
    expect(Object.isFrozen(OPERATIONS)).toBe(true);
    expect(NAMES.filter((name) => !Object.isFrozen(OPERATIONS[name]))).toEqual([]);
  });

  it('let a process call exactly what is listed here, for exactly whom', () => {
    const found = Object.groupBy(
      NAMES.filter((name) => ['anyone', 'process'].includes(OPERATIONS[name].scope.kind)),
      (name) => {
        const { scope } = OPERATIONS[name];
        if (scope.kind !== 'process') return 'for anyone';
        const whom = { true: 'itself and its descendants', below: 'its descendants', false: 'itself' }[String(scope.tree ?? false)];
        return `for ${whom}, by ${scope.pid}`;
      },
    );
    expect({ ...found }).toEqual(OF_A_PROCESS);
  });

  it('let only an operator call exactly what is listed here', () => {
    expect(NAMES.filter((name) => OPERATIONS[name].scope.kind === 'operator')).toEqual(OF_AN_OPERATOR);
  });

  it.each(NAMES)('%s is defined in full', (name) => {
    const { summary, tier, scope, faults, params, result } = OPERATIONS[name];
    expect(summary).toMatch(/^[A-Z][^\n]{10,160}[^.]$/);
    expect(tier).toBe(name.startsWith('kernel.') ? 'stable' : 'experimental');
    expect(faults.filter((code) => !Object.hasOwn(FAULTS, code))).toEqual([]);
    expect(new Set(faults).size).toBe(faults.length);
    expect([jsonSchema(params).type, jsonSchema(result).type ?? 'object']).toEqual(['object', 'object']);
    if (scope.kind === 'process') expect(jsonSchema(params).properties).toHaveProperty(scope.pid);
  });

  it('are closed to parameters they do not know, all of them at every depth, but for kernel.*', () => {
    const isOpen = (schema: JsonSchema): boolean =>
      (schema.properties !== undefined && schema.additionalProperties !== false) ||
      [...Object.values(schema.properties ?? {}), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...[schema.items ?? []].flat()].some(
        (inner) => isOpen(inner as JsonSchema), // The contract uses no schema that is true or false.
      );
    const takesAny = NAMES.filter((name) => jsonSchema(OPERATIONS[name].params).additionalProperties !== false);
    // A message is replied to as it was received.
    expect(NAMES.filter((name) => isOpen(jsonSchema(OPERATIONS[name].params)))).toEqual([...takesAny, 'mail.reply']);
    expect(takesAny).toEqual(NAMES.filter((name) => name.startsWith('kernel.')));
    expect(NAMES.filter((name) => JSON.stringify(jsonSchema(OPERATIONS[name].result)).includes('"additionalProperties":false'))).toEqual(
      [],
    );
  });

  it('name every parameter and field in snake_case', () => {
    const names = new Set<string>();
    const collect = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, inner] of Object.entries(schema)) {
        if (key === 'properties') for (const name of Object.keys(inner)) names.add(name);
        collect(inner);
      }
    };
    for (const { params, result } of Object.values(OPERATIONS)) collect([jsonSchema(params), jsonSchema(result)]);
    const states = ['READY', 'RUNNING', 'WAITING', 'SUSPENDED', 'DEAD'];
    expect([...names].filter((name) => !/^[a-z]+(?:_[a-z]+)*$/.test(name)).toSorted()).toEqual(states.toSorted());
  });
});

describe('what is known of an operation at compile time', () => {
  it('tells what may be sent from what arrives and what comes back', () => {
    expectTypeOf<ParamsInput<'kernel.agent.get'>>().toEqualTypeOf<{ pid: number }>();
    expectTypeOf<{ pid: 1 }>().toExtend<ParamsInput<'kernel.sched.enqueue'>>();
    expectTypeOf<{ pid: 1; priority: '5'; deadline: null }>().toExtend<ParamsInput<'kernel.sched.enqueue'>>();
    expectTypeOf<Params<'kernel.sched.enqueue'>['priority']>().toEqualTypeOf<number>();
    expectTypeOf<Params<'kernel.sched.enqueue'>['deadline']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Params<'kernel.agent.list'>['limit']>().toEqualTypeOf<number>();
    expectTypeOf<Result<'kernel.agent.create'>>().toEqualTypeOf<{ pid: number; state: 'READY' }>();
  });
});

describe('isOperationName', () => {
  it('knows the names and no words that every object knows', () => {
    expect(['kernel.info', 'kernel.Info', 'toString', '__proto__', 'constructor', ''].map(isOperationName)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe.each(NAMES)('%s', (name) => {
  const { params, result } = OPERATIONS[name];

  it('accepts whatever its schema says may be sent, after a way over the wire', () => {
    fc.assert(
      fc.property(arbitraryOf(jsonSchema(params)), (given) => {
        const parsed = parseParams(name, JSON.parse(JSON.stringify(given)));
        // What was parsed is what the next one would send, so parsing it again changes nothing.
        expect(parseParams(name, JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
      }),
      { numRuns: 25 },
    );
  });

  it('answers in a form that survives the way over the wire', () => {
    fc.assert(
      fc.property(arbitraryOf(jsonSchema(result)), (given) => {
        const arrived: unknown = JSON.parse(JSON.stringify(given));
        expect(result.parse(arrived)).toEqual(arrived);
      }),
      { numRuns: 25 },
    );
  });

  it('takes hostile values for any parameter without harm', () => {
    const fields = Object.keys(jsonSchema(params).properties ?? {});
    const hostile = [
      JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`),
      new Array(1_000_000).fill(0),
      'x'.repeat(1_048_576),
      '\ud800',
      1e308,
      -1,
      -0,
      2 ** 53 + 2,
      true,
      null,
      [],
      {},
      JSON.parse('{"__proto__": {"isAdmin": true}}'),
    ];
    for (const value of hostile) {
      for (const request of [value, Object.fromEntries(fields.map((field) => [field, value])), { extra: value }]) {
        try {
          parseParams(name, request);
        } catch (error) {
          if (!isFault(error, 'invalid_argument')) throw error;
          expect(error.message.length).toBeLessThan(400);
        }
      }
    }
    expect('isAdmin' in {}).toBe(false);
  });
});

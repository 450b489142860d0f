import { Fault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SILENT } from '../observe/log.ts';
import type { CallOutcome } from '../observe/observe-calls.ts';
import type { Method } from './calls.ts';
import { createDispatcher, type DispatcherParts } from './create-dispatcher.ts';

type Caller = Record<string, never>;
type Answer = { id: unknown; result?: unknown; error?: { code: number; message: string; data?: Record<string, unknown> } };

const METHODS: Readonly<Record<string, Method<Caller>>> = {
  echo: async (params) => params,
  nothing: async () => undefined,
  later: async ({ turns }) => {
    for (let turn = 0; turn < Number(turns); turn++) await Promise.resolve();
    return turns;
  },
  fault: async () => {
    throw new Fault('unknown_pid', 'Cannot find process 7: it does not exist', { details: { pid: 7 } });
  },
  defect: async () => {
    throw new Error('secret at /etc/shadow');
  },
  internal: async () => {
    throw new Fault('internal', 'Cannot go on with /etc/shadow');
  },
  thrown: async () => Promise.reject('a string'),
  circular: async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    return loop;
  },
  unsayable: async () => {
    throw new Fault('conflict', 'Cannot say it', { details: { big: 1n } });
  },
};

function setUp(options: Partial<DispatcherParts<Caller>> = {}) {
  const logged: { readonly message: string; readonly fields: object | undefined }[] = [];
  const outcomes: [string, CallOutcome][] = [];
  const dispatcher = createDispatcher<Caller>({
    find: (name) => (Object.hasOwn(METHODS, name) ? METHODS[name] : undefined),
    log: { ...SILENT, error: (message, fields) => logged.push({ message, fields }) },
    observe:
      ({ operation }) =>
      (outcome) =>
        outcomes.push([operation, outcome]),
    createErrorId: () => 'error_1',
    ...options,
  });
  const send = async (body: string | Uint8Array) => {
    const text = await dispatcher.dispatch(typeof body === 'string' ? Buffer.from(body) : body, {});
    return text === undefined ? undefined : (JSON.parse(text) as Answer); // It answers with one.
  };
  const call = async (request: object) => await send(JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }));
  const sendBatch = async (requests: readonly unknown[]) => (await send(JSON.stringify(requests))) as unknown as Answer[] | undefined; // As above.
  return { dispatcher, send, call, sendBatch, logged, outcomes };
}

describe('a request', () => {
  it('is answered with its result and its id', async () => {
    expect(await setUp().call({ method: 'echo', params: { a: 1 } })).toEqual({ jsonrpc: '2.0', id: 1, result: { a: 1 } });
  });

  it.each([0, 1, -7, 1.5, Number.MAX_SAFE_INTEGER, '', 'a', '0', 'null', '🎉', '\u0000', null])('keeps its id %j as it is', async (id) => {
    expect(await setUp().call({ method: 'nothing', id })).toEqual({ jsonrpc: '2.0', id, result: null });
    expect(await setUp().call({ method: 'fault', id })).toMatchObject({ id, error: { code: -32102 } });
  });

  it.each(['true', '{}', '[]', '1e400', '9007199254740993', `"${'a'.repeat(1_025)}"`, '"\\ud800"'])(
    'with the id %s, which would not come back as it is, is refused',
    async (id) => {
      expect(await setUp().send(`{"jsonrpc":"2.0","method":"echo","id":${id}}`)).toMatchObject({ id: null, error: { code: -32600 } });
    },
  );

  it('without an id is carried out and not answered, not even with an error', async () => {
    const { send, outcomes } = setUp();
    for (const method of ['echo', 'fault', 'defect', 'nope'])
      expect(await send(JSON.stringify({ jsonrpc: '2.0', method }))).toBeUndefined();
    expect(outcomes.map(([operation, { kind }]) => [operation, kind])).toEqual([
      ['echo', 'answered'],
      ['fault', 'failed'],
      ['defect', 'failed'],
      ['unknown', 'failed'],
    ]);
  });

  it('has no parameters when they are left out or null', async () => {
    const { call } = setUp();
    for (const params of [{}, { params: null }, { params: {} }])
      expect(await call({ method: 'echo', ...params })).toMatchObject({ result: {} });
  });

  it.each([[[]], [[1, 2]], ['a'], [7], [true]])('is refused with the parameters %j', async (params) => {
    expect(await setUp().call({ method: 'echo', params })).toMatchObject({
      id: 1,
      error: { code: -32602, data: { fault: 'invalid_argument', field: 'params' } },
    });
  });

  it.each(['nope', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a'.repeat(100_000), '\ud800', '\n'])(
    'for the method %j, which there is not, is told so',
    async (method) => {
      const answer = await setUp().call({ method });
      expect(answer).toMatchObject({ id: 1, error: { code: -32601, data: { fault: 'unknown_method' } } });
      expect(answer?.error?.message).toContain('warren kernel methods');
      expect(answer?.error?.message.length).toBeLessThan(200);
    },
  );

  it.each([
    { jsonrpc: '1.0' },
    { jsonrpc: 2 },
    { jsonrpc: undefined },
    { method: 7 },
    { method: null },
    { method: undefined },
    { method: ['echo'] },
  ])('that is %j is no request of JSON-RPC 2.0', async (part) => {
    expect(await setUp().call({ method: 'echo', ...part })).toMatchObject({
      id: 1,
      error: { code: -32600, data: { fault: 'invalid_request' } },
    });
  });

  it.each(['7', '"a"', 'null', 'true'])('that is %s is no request', async (text) => {
    expect(await setUp().send(text)).toMatchObject({ id: null, error: { code: -32600 } });
  });
});

describe('a failure', () => {
  it('that is a fault has its number, its message and its details', async () => {
    expect(await setUp().call({ method: 'fault' })).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32102, message: 'Cannot find process 7: it does not exist', data: { fault: 'unknown_pid', pid: 7 } },
    });
  });

  it.each(['defect', 'internal', 'thrown', 'circular', 'unsayable'])(
    'of ours (%s) says where the log has it, and nothing else',
    async (method) => {
      const { call, logged, outcomes } = setUp();
      const answer = await call({ method });
      expect(answer).toMatchObject({ id: 1, error: { code: -32603, data: { fault: 'internal', error_id: 'error_1' } } });
      expect(JSON.stringify(answer)).not.toMatch(/shadow|\.ts|at /);
      expect(logged).toMatchObject([{ fields: { operation: method, error_id: 'error_1' } }]);
      expect(outcomes).toEqual([[method, { kind: 'failed', code: -32603, fault: 'internal' }]]);
    },
  );
});

describe('a body', () => {
  it.each([
    ['nothing', ''],
    ['half of an object', '{"jsonrpc":"2.0","method"'],
    ['text', 'hello'],
    ['a number JSON has not', '{"id":NaN}'],
    ['two documents', '{}{}'],
    ['a byte order mark', '\ufeff{}'],
  ])('that is %s is a parse error', async (_name, body) => {
    const answer = await setUp().send(body);
    expect(answer).toMatchObject({ id: null, error: { code: -32700, data: { fault: 'parse_error' } } });
  });

  it('that is not UTF-8 is a parse error', async () => {
    const request = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":"x"}}');
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const at = request.indexOf('x');
      const broken = Buffer.concat([request.subarray(0, at), Buffer.from(bytes), request.subarray(at + 1)]);
      expect(await setUp().send(broken)).toMatchObject({ id: null, error: { code: -32700, message: expect.stringContaining('UTF-8') } });
    }
  });

  it('that is nested 10,000 deep is refused unparsed', async () => {
    const deep = `{"jsonrpc":"2.0","id":1,"method":"echo","params":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`;
    expect(await setUp().send(deep)).toMatchObject({ id: null, error: { code: -32009, data: { fault: 'too_large', limit: 128 } } });
  });

  it('of more values than anybody needs is refused unparsed', async () => {
    const { send } = setUp({ limits: { valuesMax: 100 } });
    expect(await send(`[${'{},'.repeat(100)}{}]`)).toMatchObject({ error: { code: -32009, data: { fault: 'too_large', limit: 100 } } });
  });

  it('with keys that every object knows is data like any other', async () => {
    const params = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
    const text = await setUp().dispatcher.dispatch(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"echo","params":${params}}`), {});
    expect(text).toBe(`{"jsonrpc":"2.0","id":1,"result":${params}}`);
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
    const envelope = '{"__proto__":{"jsonrpc":"2.0","method":"echo","id":1}}';
    expect(await setUp().send(envelope)).toMatchObject({ id: null, error: { code: -32600 } });
  });
});

describe('a batch', () => {
  it('is answered in the order of its requests, whichever is done first, without its notifications', async () => {
    const answers = await setUp().sendBatch([
      { jsonrpc: '2.0', id: 'slow', method: 'later', params: { turns: 50 } },
      { jsonrpc: '2.0', method: 'echo' },
      { jsonrpc: '2.0', id: 'quick', method: 'later', params: { turns: 0 } },
      7,
      { jsonrpc: '2.0', id: 'wrong', method: 'fault' },
    ]);
    expect(answers?.map(({ id, result, error }) => [id, result ?? error?.code])).toEqual([
      ['slow', 50],
      ['quick', 0],
      [null, -32600],
      ['wrong', -32102],
    ]);
  });

  it('of notifications alone is not answered', async () => {
    expect(await setUp().sendBatch([{ jsonrpc: '2.0', method: 'echo' }, { jsonrpc: '2.0', method: 'nope' }])).toBeUndefined(); // biome-ignore format: one line
  });

  it('that is empty is no request', async () => {
    expect(await setUp().send('[]')).toMatchObject({ id: null, error: { code: -32600, data: { fault: 'invalid_request' } } });
  });

  it('of a thousand is carried out, and one more is refused whole', async () => {
    const requests = (count: number) => Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', id, method: 'nothing' }));
    const { sendBatch, outcomes } = setUp();
    expect((await sendBatch(requests(1_000)))?.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, id) => id));
    outcomes.length = 0;
    expect(await sendBatch(requests(1_001))).toMatchObject({ id: null, error: { code: -32009, data: { limit: 1_000 } } });
    expect(outcomes).toEqual([]);
  });

  it('whose answers are too long together has those that fit, and says of the others that they were carried out', async () => {
    const { sendBatch, outcomes } = setUp({ limits: { batchAnswerMax: 500 } });
    const request = (id: number) => ({ jsonrpc: '2.0', id, method: 'echo', params: { text: 'x'.repeat(150) } });
    const answers = await sendBatch([request(1), request(2), request(3), request(4)]);
    expect(answers?.map(({ id, error }) => [id, error?.data?.['fault']])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, 'too_large'],
      [4, 'too_large'],
    ]);
    expect(outcomes.every(([, { kind }]) => kind === 'answered')).toBe(true);
  });
});

describe('too many calls at once', () => {
  it('are refused as busy, and those under way are not disturbed', async () => {
    const gate = Promise.withResolvers<void>();
    const { sendBatch, dispatcher } = setUp({
      limits: { callsMax: 2 },
      find: () => async () => {
        await gate.promise;
        return 'done';
      },
    });
    const answering = sendBatch([1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, method: 'wait' })));
    let isIdle = false;
    const idle = dispatcher.idle().then(() => {
      isIdle = true;
    });
    await Promise.resolve();
    expect(isIdle).toBe(false);
    gate.resolve();
    expect((await answering)?.map(({ result, error }) => result ?? error?.data?.['fault'])).toEqual(['done', 'done', 'busy']);
    await idle;
  });
});

describe('whatever comes in', () => {
  const isAnswer = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const keys = Object.keys(value).toSorted().join();
    return keys === 'id,jsonrpc,result' || keys === 'error,id,jsonrpc';
  };
  const check = (text: string | undefined): void => {
    if (text === undefined) return;
    const answer: unknown = JSON.parse(text);
    const all = Array.isArray(answer) ? answer : [answer];
    expect(all.length).toBeGreaterThan(0);
    expect(all.every(isAnswer)).toBe(true);
  };

  it('an answer of JSON-RPC comes out: for any bytes', async () => {
    const { dispatcher } = setUp();
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => check(await dispatcher.dispatch(bytes, {}))));
  });

  it('an answer of JSON-RPC comes out: for any JSON', async () => {
    const { dispatcher } = setUp();
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 8, noUnicodeString: false }), async (text) =>
        check(await dispatcher.dispatch(Buffer.from(text), {})),
      ),
    );
  });

  it('an answer of JSON-RPC comes out: for anything like a request, or a batch of those', async () => {
    const { dispatcher } = setUp();
    const member = <T>(usual: T) => fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, fc.jsonValue());
    const request = fc.record(
      {
        jsonrpc: member('2.0'),
        method: fc.oneof(fc.constantFrom(...Object.keys(METHODS)), fc.jsonValue()),
        params: fc.jsonValue(),
        id: fc.oneof(fc.integer(), fc.string(), fc.double(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.array(request, { maxLength: 20 })), async (value) => {
        const text = await dispatcher.dispatch(Buffer.from(JSON.stringify(value)), {});
        check(text);
        if (Array.isArray(value) || !('id' in value)) return;
        const id = (JSON.parse(text ?? '{}') as Answer).id; // Checked above.
        if (typeof value.id === 'string' && value.id.isWellFormed()) expect(id).toBe(value.id);
      }),
    );
  });
});

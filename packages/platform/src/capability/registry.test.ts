import type { ActContext, Capability } from '@warren/kernel';
import { describe, expect, it } from 'vitest';
import type { Definition } from './definition.ts';
import { CapabilityError, type Handler, type HandlerContext, type HandlerResult } from './handler.ts';
import { loadDefinitions } from './load-definitions.ts';
import { createRegistry, type LoadedPack, type PacksRead, type RegistryParts } from './registry.ts';
import { shippedDefinitions } from './shipped-definitions.ts';
import { actContext } from './test-support/act-context.ts';
import { definitionText, setOf } from './test-support/definition-text.ts';

const SHARED = `errors:
  - { type: Everywhere, everywhere: true, description: x, recovery: [{ action: wait, description: Wait a while }] }
  - { type: NotNamed, description: x, recovery: [] }
`;
const ERRORS = `[{ type: NoSuchTerm, description: x, retryable: true, retry_after: 5s, recovery: [{ action: widen, description: Use a shorter term, capability: demo.lookup, input: { term: "{term}" } }] }]`;
const builtin = setOf(SHARED, definitionText('demo.lookup', { errors: ERRORS, outputs: '[{ name: hits, type: Array, description: x }]' }));

/** Nothing of a handler's context is used here. */
const wrap: RegistryParts['wrap'] = (context, use) => use(context as HandlerContext);

async function registryWith(handler: Handler, more: Partial<RegistryParts> = {}) {
  return createRegistry({ builtin, handlers: { 'demo.lookup': handler }, wrap, ...more });
}

async function act(handler: Handler, input = { term: 'x' }) {
  const capability = (await registryWith(handler)).find('demo.lookup')!; // It is there.
  return capability.act(actContext(capability, input));
}

const failing =
  (error: Error): Handler =>
  () =>
    Promise.reject(error);

describe('the registry', () => {
  it('does not start when a definition has no handler or a handler no definition', async () => {
    await expect(createRegistry({ builtin, handlers: {}, wrap })).rejects.toThrow('file1.yaml:1: demo.lookup has no handler');
    const handler: Handler = async () => ({ output: {} });
    await expect(createRegistry({ builtin, handlers: { 'demo.lookup': handler, 'demo.other': handler }, wrap })).rejects.toThrow(
      'the handler demo.other has no definition',
    );
  });

  it('does not start when a definition has a mistake, and says all of them', async () => {
    const broken = setOf(definitionText('demo.lookup', { when_to_use: 'not `a.b` and not `c.d`' }));
    await expect(createRegistry({ builtin: broken, handlers: { 'demo.lookup': async () => ({ output: {} }) }, wrap })).rejects.toThrow(
      /2 mistakes\nfile0\.yaml:4: .*a\.b.*\nfile0\.yaml:4: .*c\.d/,
    );
  });

  it('hands the gate what the definition says', async () => {
    const registry = await registryWith(async () => ({ output: { hits: [] } }));
    expect(registry.list()).toHaveLength(1);
    expect(registry.find('demo.lookup')).toMatchObject({
      name: 'demo.lookup',
      effect: 'once',
      defaultTier: 'autonomous',
      tags: ['read', 'safe'],
      concurrencyMax: 16,
    });
    for (const name of ['demo', '__proto__', 'constructor', 'toString']) expect(registry.find(name)).toBeUndefined();
  });

  it('answers what the handler answers', async () => {
    expect(await act(async ({ term }) => ({ output: { hits: [term!] }, usage: { n: 1 }, taint: ['web'] }))).toEqual({
      kind: 'done',
      output: { hits: ['x'] },
      usage: { n: 1 },
      taint: ['web'],
    });
  });

  it('turns an error the definition names into what the agent is told', async () => {
    const error = new CapabilityError('NoSuchTerm', 'Nothing begins with x', { context: { found: 0 }, usage: { n: 1 } });
    expect(await act(failing(error))).toEqual({
      kind: 'failed',
      usage: { n: 1 },
      error: {
        type: 'NoSuchTerm',
        message: 'Nothing begins with x',
        agentMessage: 'Nothing begins with x. Use a shorter term',
        recovery: [{ action: 'widen', description: 'Use a shorter term', capability: 'demo.lookup', input: { term: 'x' } }],
        retryable: true,
        retryAfterMs: 5_000,
        context: { found: 0 },
      },
    });
    expect(await act(failing(new CapabilityError('Everywhere', 'x')))).toMatchObject({ kind: 'failed', error: { type: 'Everywhere' } });
    expect(await act(failing(new CapabilityError('NotNamed', 'x')))).toMatchObject({ kind: 'failed', error: { type: 'NotNamed' } });
  });

  it('takes an error that nobody words for a defect', async () => {
    await expect(act(failing(new CapabilityError('Unheard', 'x')))).rejects.toThrow(
      'answers the error Unheard, which its definition does not name',
    );
    await expect(act(failing(new CapabilityError('__proto__', 'x')))).rejects.toThrow('does not name');
    await expect(act(failing(new Error('broken')))).rejects.toThrow('broken');
    await expect(act(async () => ({ output: [] as never }))).rejects.toThrow('answers no object');
  });

  it('in tests takes an output that is not as promised for a defect', async () => {
    const answer =
      (output: object): Handler =>
      async () => ({ output: output as HandlerResult['output'] }); // Wrong on purpose.
    for (const [output, reason] of [
      [{}, 'hits is missing'],
      [{ hits: 5 }, 'hits is number, not Array'],
      [{ hits: [], more: 1 }, 'more is not in the definition'],
    ] as const) {
      const capability = (await registryWith(answer(output), { checksOutput: true })).find('demo.lookup')!; // It is there.
      await expect(capability.act(actContext(capability, { term: 'x' }))).rejects.toThrow(reason);
    }
  });

  it('records no secret, by definition or by name, and long content by its hash', () => {
    const set = setOf(
      definitionText('demo.lookup', {
        inputs:
          '[{ name: term, type: String, description: x }, { name: pin, type: Integer, secret: true, description: x }, { name: headers, type: Object, description: x }, { name: max_tokens, type: Integer, description: x }]',
      }),
    );
    return createRegistry({ builtin: set, handlers: { 'demo.lookup': async () => ({ output: {} }) }, wrap }).then((registry) => {
      const redact = (input: object) => registry.find('demo.lookup')?.redact(input as never);
      expect(
        redact({
          term: 'x',
          pin: 1234,
          max_tokens: 5,
          headers: { Authorization: 'Bearer s', 'X-Api-Key': 's', accept: 'y', api_key: { a: 's' } },
        }),
      ).toEqual({
        term: 'x',
        pin: '[REDACTED:pin]',
        max_tokens: 5,
        headers: {
          Authorization: '[REDACTED:Authorization]',
          'X-Api-Key': '[REDACTED:X-Api-Key]',
          accept: 'y',
          api_key: '[REDACTED:api_key]',
        },
      });
      expect(redact({ term: 'y'.repeat(70_000) })).toEqual({
        term: expect.stringMatching(/^y{1024}… \[70000 bytes, SHA-256 [0-9a-f]{64}\]$/),
      });
    });
  });
});

describe('packs in the registry', () => {
  function packOf(name: string, texts: Readonly<Record<string, Readonly<Record<string, string>>>>, hash: string): LoadedPack {
    const files = Object.entries(texts).map(([each, changes]) => ({ file: `${each}.yaml`, text: definitionText(each, changes) }));
    const set = loadDefinitions(files, builtin, name);
    expect(set.problems).toEqual([]);
    const answer = async (definition: Definition, { input }: ActContext): Promise<HandlerResult> => ({
      output: { hits: [definition.version, input['term']!] },
    });
    return { name, version: '1.0.0', definitions: [...set.definitions.values()], hash, act: answer };
  }
  const call = async (capability: Capability | undefined) => capability?.act(actContext(capability, { term: 'x' }));
  const handlers = { 'demo.lookup': async () => ({ output: { hits: [] } }) };

  it('come, change and go with a new revision each; a call under way keeps what it resolved', async () => {
    let read: PacksRead = { packs: [], broken: [], problems: [] };
    const registry = await createRegistry({ builtin, handlers, wrap, readPacks: async () => read });
    const changes: unknown[] = [];
    const stop = registry.onChange(({ added, removed, changed }) => changes.push({ added, removed, changed }));
    registry.onChange(() => {
      throw new Error('A listener that fails');
    });
    const { revision } = registry;

    read = { packs: [packOf('mine', { 'mine.a': {}, 'mine.b': {} }, '1')], broken: [], problems: [] };
    await registry.reload();
    const first = registry.find('mine.a');
    expect(await call(first)).toMatchObject({ kind: 'done', output: { hits: ['1.0', 'x'] } });

    await registry.reload();
    expect(registry.find('mine.a')).toBe(first);

    read = { packs: [packOf('mine', { 'mine.a': { version: '"2.0"' } }, '2')], broken: [], problems: [] };
    await registry.reload();
    expect(await call(first)).toMatchObject({ output: { hits: ['1.0', 'x'] } });
    expect(await call(registry.find('mine.a'))).toMatchObject({ output: { hits: ['2.0', 'x'] } });
    expect([first?.version, registry.find('mine.a')?.version]).toEqual(['1.0+1', '2.0+2']);

    stop();
    read = { packs: [], broken: [], problems: [] };
    await registry.reload();
    expect(registry.find('mine.a')).toBeUndefined();
    expect(registry.revision).toBe(revision + 3);
    expect(changes).toEqual([
      { added: ['mine.a', 'mine.b'], removed: [], changed: [] },
      { added: [], removed: ['mine.b'], changed: ['mine.a'] },
    ]);
  });

  it('change and go while a call is in flight: it ends as what it began as, and the next is of the new one', async () => {
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const pack = packOf('mine', { 'mine.a': {} }, '1');
    const holding: LoadedPack = {
      ...pack,
      act: async (definition, context) => {
        begun.resolve();
        await held.promise;
        return await pack.act(definition, context);
      },
    };
    let read: PacksRead = { packs: [holding], broken: [], problems: [] };
    const registry = await createRegistry({ builtin, handlers, wrap, readPacks: async () => read });
    const inFlight = call(registry.find('mine.a'));
    await begun.promise;
    read = { packs: [packOf('mine', { 'mine.a': { version: '"2.0"', outputs: '[]' } }, '2')], broken: [], problems: [] };
    await registry.reload();
    expect(await call(registry.find('mine.a'))).toMatchObject({ kind: 'done', output: { hits: ['2.0', 'x'] } });
    read = { packs: [], broken: [], problems: [] };
    await registry.reload();
    held.resolve();
    expect(await inFlight).toMatchObject({ kind: 'done', output: { hits: ['1.0', 'x'] } });
  });

  it('keep their secrets also in what is to be called later', async () => {
    const shipped = await shippedDefinitions();
    const every = Object.fromEntries([...shipped.definitions.keys()].map((name) => [name, async () => ({ output: {} })]));
    const inputs = '[{ name: term, type: String, description: x }, { name: word, type: String, secret: true, description: x }]';
    const packs = [packOf('mine', { 'mine.door': { inputs } }, '1')];
    const registry = await createRegistry({
      ...{ builtin: shipped, handlers: every, wrap },
      readPacks: async () => ({ packs, broken: [], problems: [] }),
    });
    const inner = { capability: 'mine.door', inputs: { term: 'front', word: 'sesame' } };
    for (const name of ['scheduler.cron_create', 'scheduler.delay']) {
      const capability = registry.find(name);
      for (const redact of [capability?.redact, capability?.redactWhole]) {
        expect(redact?.(inner)).toEqual({ capability: 'mine.door', inputs: { term: 'front', word: '[REDACTED:word]' } });
        for (const other of [
          { ...inner, capability: 'mine.doors' },
          { capability: 'scheduler.delay', inputs: inner },
        ])
          expect(JSON.stringify(redact?.(other))).not.toContain('sesame');
      }
    }
  });

  it('with a mistake keep what was loaded before, and say why', async () => {
    let read: PacksRead = { packs: [packOf('mine', { 'mine.a': {} }, '1')], broken: [], problems: [] };
    const registry = await createRegistry({ builtin, handlers, wrap, readPacks: async () => read });
    const problem = { severity: 'error', file: 'mine/a.yaml', line: 3, field: 'name', reason: 'is wrong' } as const;
    read = { packs: [packOf('other', { 'other.a': {} }, '1')], broken: ['mine', 'never_good'], problems: [problem] };
    const { problems, added } = await registry.reload();
    expect(problems).toEqual([problem]);
    expect(registry.problems()).toEqual([problem]);
    expect(added).toEqual(['other.a']);
    expect(registry.list().map(({ name }) => name)).toEqual(['demo.lookup', 'mine.a', 'other.a']);
  });

  it('are read once more for whoever asks while they are being read, and once for all of them', async () => {
    let reads = 0;
    let release = (): void => {};
    const registry = await createRegistry({
      builtin,
      handlers,
      wrap,
      readPacks: async () => {
        reads++;
        if (reads === 2) await new Promise<void>((resolve) => (release = resolve));
        return { packs: [], broken: [], problems: [] };
      },
    });
    const all = [registry.reload(), registry.reload(), registry.reload(), registry.reload()];
    release();
    await Promise.all(all);
    expect(reads).toBe(3);
  });
});

import { describe, expect, it } from 'vitest';
import { type MakeCall, testCapability } from './test-capability.ts';
import { definitionText, setOf } from './test-support/definition-text.ts';

const EXAMPLES = `[{ description: found, setup: { a.txt: x }, input: { term: x }, output: { hits: [1] } }, { description: none, input: { term: y }, error: NoSuchTerm }]`;
const ERRORS = '[{ type: NoSuchTerm, description: x, recovery: [{ action: a, description: b }] }]';
const definition = setOf(definitionText('demo.lookup', { examples: EXAMPLES, errors: ERRORS })).definitions.get('demo.lookup')!; // It is right.
const { signal } = new AbortController();

const right: MakeCall = async (_, { input }) =>
  input['term'] === 'x' ? { kind: 'done', output: { hits: [1] } } : { kind: 'failed', error: { type: 'NoSuchTerm', message: 'none' } };

describe('testing a capability', () => {
  it('runs its examples with their files', async () => {
    const seen: unknown[] = [];
    const result = await testCapability(
      definition,
      (name, example, abort) => {
        seen.push([name, example.setup]);
        return right(name, example, abort);
      },
      signal,
    );
    expect(result).toMatchObject({ isPassed: true, warnings: [], examples: [{ isPassed: true }, { isPassed: true }] });
    expect(seen).toEqual([
      ['demo.lookup', { 'a.txt': 'x' }],
      ['demo.lookup', {}],
    ]);
  });

  it('says what came instead', async () => {
    const reasons = async (call: MakeCall) => (await testCapability(definition, call, signal)).examples.map(({ reason }) => reason);
    expect(await reasons(async () => ({ kind: 'done', output: { hits: [2] } }))).toEqual([
      'hits is [2], not [1]',
      'it succeeds instead of failing with NoSuchTerm',
    ]);
    expect(await reasons(async () => ({ kind: 'done', output: { hit: [1] } }))).toEqual([
      'hits is missing; hit is not in the definition',
      'it succeeds instead of failing with NoSuchTerm',
    ]);
    expect(await reasons(async () => ({ kind: 'failed', error: { type: 'Other', message: 'm' } }))).toEqual([
      'it fails with Other: m',
      'it fails with Other: m',
    ]);
    expect(await reasons(() => Promise.reject(new Error('broken')))).toEqual(['broken', 'broken']);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(testCapability(definition, right, controller.signal)).rejects.toThrow('enough');
  });
});

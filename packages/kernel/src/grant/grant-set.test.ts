import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GrantSet } from '../store/tables/grant-table.ts';
import { firstExcess, meetGrantSets, NO_GRANTS, parseGrantSet } from './grant-set.ts';
import { isAllowed, type Question } from './question.ts';

const request = fc.record(
  {
    tools: fc.array(fc.constantFrom('a', 'a.b', 'a.*', 'a.b.*', '*'), { maxLength: 3 }),
    paths: fc.array(fc.record({ prefix: fc.constantFrom('/', '/a', '/a/b/', '/b'), mode: fc.constantFrom('r' as const, 'rw' as const) }), {
      maxLength: 3,
    }),
    hosts: fc.array(fc.constantFrom('a.b', '*.a.b', '**.a.b', 'x.a.b:1', '*', '*:1'), { maxLength: 3 }),
    models: fc.array(fc.constantFrom('m', 'm-1', 'm-*', '*'), { maxLength: 3 }),
    subAgents: fc.boolean(),
  },
  { requiredKeys: [] },
);
const set = request.map(parseGrantSet);

const QUESTIONS: readonly Question[] = [
  ...['a', 'a.b', 'a.b.c', 'b'].map((tool) => ({ kind: 'tool' as const, tool })),
  ...['m', 'm-1', 'm-1-x', 'n'].map((model) => ({ kind: 'model' as const, model })),
  ...['a.b', 'x.a.b', 'y.x.a.b', 'c'].flatMap((host) => [undefined, 1, 2].map((port) => ({ kind: 'host' as const, host, port }))),
  ...['/', '/a', '/a/b', '/a/b/c', '/b', '/c'].flatMap((path) =>
    (['r', 'rw'] as const).map((mode) => ({ kind: 'path' as const, path, mode })),
  ),
];

const allowed = (grants: GrantSet) => QUESTIONS.filter((question) => isAllowed(grants, question));

describe('a set of grants', () => {
  it('gives only what is named', () => {
    expect(parseGrantSet({})).toEqual(NO_GRANTS);
    expect(parseGrantSet({ tools: ['a'] })).toEqual({ ...NO_GRANTS, tools: ['a'] });
    expect(allowed(NO_GRANTS)).toEqual([]);
  });

  it('is canonical: names sorted, nothing twice', () => {
    const parsed = parseGrantSet({
      tools: ['b', 'a', 'b'],
      paths: [{ prefix: '/b/', mode: 'r' }, { prefix: '/a/../b', mode: 'r' }, { prefix: '/a', mode: 'rw' }],
      hosts: ['EXAMPLE.com.', 'example.com', 'a.com'],
      models: ['z', 'a'],
    }); // biome-ignore format: lists
    expect(parsed).toEqual({
      tools: ['a', 'b'],
      paths: [{ prefix: '/b', mode: 'r' }, { prefix: '/a', mode: 'rw' }],
      hosts: ['a.com', 'example.com'],
      models: ['a', 'z'],
      subAgents: false,
    }); // biome-ignore format: lists
  });

  it.each([
    ['tool_grants', { tools: ['a', 'b*'] }],
    ['tool_grants', { tools: 'a' }],
    ['tool_grants', { tools: { length: 1, 0: 'a' } }],
    ['tool_grants', { tools: [undefined] }],
    ['tool_grants', { tools: [true] }],
    ['fs_grants', { paths: [{ prefix: 'relative', mode: 'r' }] }],
    ['fs_grants', { paths: ['/a'] }],
    ['net_grants', { hosts: ['*.com'] }],
    ['net_grants', { hosts: null }],
    ['model_grants', { models: [''] }],
    ['sub_agent', { subAgents: 1 }],
    ['sub_agent', { subAgents: 'true' }],
  ])('that is wrong in %s is refused by that name: %j', (field, wrong) => {
    expect(() => parseGrantSet(wrong as Partial<GrantSet>)) // What an untyped caller may pass.
      .toThrow(expect.objectContaining({ code: 'grant_invalid', details: { field } }));
  });

  it.each([
    ['tool_grants', (entry: number) => ({ tools: Array.from({ length: entry }, (_, index) => `t${index}`) })],
    ['net_grants', (entry: number) => ({ hosts: Array.from({ length: entry }, (_, index) => `h${index}.com`) })],
    ['model_grants', (entry: number) => ({ models: Array.from({ length: entry }, (_, index) => `m${index}`) })],
    [
      'fs_grants',
      (entry: number) => ({ paths: Array.from({ length: entry }, (_, index) => ({ prefix: `/${index}`, mode: 'r' as const })) }),
    ],
  ])('has at most 256 %s', (field, make) => {
    expect(() => parseGrantSet(make(256))).not.toThrow();
    expect(() => parseGrantSet(make(257))).toThrow(expect.objectContaining({ code: 'grant_invalid', details: { field } }));
  });

  it('has at most 32 KiB in a field', () => {
    const paths = Array.from({ length: 9 }, (_, index) => ({ prefix: `/${index}${'x'.repeat(3_900)}`, mode: 'r' as const }));
    expect(() => parseGrantSet({ paths: paths.slice(1) })).not.toThrow();
    expect(() => parseGrantSet({ paths })).toThrow(expect.objectContaining({ code: 'grant_invalid', details: { field: 'fs_grants' } }));
  });

  it('says what is wrong without repeating all of it', () => {
    const sly = `${'x'.repeat(1_000)}*\n`;
    expect(() => parseGrantSet({ tools: [sly] })).toThrow(
      /^Cannot use tool_grants: "x{80}…" is not a capability name, `name\.\*` or `\*`$/,
    );
  });

  it('is within another when it has nothing more, else the first field with more is named', () => {
    const outer = parseGrantSet({ tools: ['a.*'], paths: [{ prefix: '/a', mode: 'r' }], hosts: ['*.a.b'], models: ['m'] });
    expect(firstExcess(outer, outer)).toBeUndefined();
    expect(firstExcess(outer, NO_GRANTS)).toBeUndefined();
    expect(firstExcess(outer, { ...outer, tools: ['a.b', 'a'], hosts: ['*'] })).toBe('tool_grants');
    expect(firstExcess(outer, { ...outer, paths: [{ prefix: '/a/b', mode: 'rw' }], subAgents: true })).toBe('fs_grants');
    expect(firstExcess(outer, { ...outer, hosts: ['a.b'] })).toBe('net_grants');
    expect(firstExcess(outer, { ...outer, models: ['m', 'n'] })).toBe('model_grants');
    expect(firstExcess(outer, { ...outer, subAgents: true })).toBe('sub_agent');
  });

  it('that is within another allows nothing the other does not', () => {
    fc.assert(
      fc.property(set, set, (outer, inner) => {
        if (firstExcess(outer, inner) === undefined) expect(allowed(outer)).toEqual(expect.arrayContaining(allowed(inner)));
      }),
    );
  });

  it('meets another in what both allow', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const both = meetGrantSets(a, b);
        expect(allowed(both)).toEqual(allowed(a).filter((question) => isAllowed(b, question)));
        expect(both.subAgents).toBe(a.subAgents && b.subAgents);
        expect([firstExcess(a, both), firstExcess(b, both)]).toEqual([undefined, undefined]);
        expect(parseGrantSet(both)).toEqual(both);
      }),
    );
  });

  it('meets another without saying twice what one entry says', () => {
    const left = parseGrantSet({ paths: [{ prefix: '/a', mode: 'r' }, { prefix: '/a/b', mode: 'rw' }] }); // biome-ignore format: one line
    const right = parseGrantSet({ paths: [{ prefix: '/', mode: 'r' }, { prefix: '/a/b/c', mode: 'rw' }] }); // biome-ignore format: one line
    expect(meetGrantSets(left, right).paths).toEqual([{ prefix: '/a', mode: 'r' }, { prefix: '/a/b/c', mode: 'rw' }]); // biome-ignore format: one line
  });

  it('meets another within the bounds of a grant, however large the common part would be', () => {
    const ports = parseGrantSet({ hosts: Array.from({ length: 256 }, (_, index) => `*:${index + 1}`) });
    const hosts = parseGrantSet({ hosts: Array.from({ length: 256 }, (_, index) => `h${index}.example.com`) });
    const both = meetGrantSets(ports, hosts);
    expect(both.hosts).toHaveLength(256);
    expect(parseGrantSet(both)).toEqual(both);
    expect([firstExcess(ports, both), firstExcess(hosts, both)]).toEqual([undefined, undefined]);

    const long = (start: string) =>
      Array.from({ length: 8 }, (_, index) => ({ prefix: `/${start}/${index}${'x'.repeat(3_900)}`, mode: 'r' as const }));
    const left = parseGrantSet({ paths: [{ prefix: '/l', mode: 'r' }, ...long('r')] });
    const right = parseGrantSet({ paths: [{ prefix: '/r', mode: 'r' }, ...long('l')] });
    const paths = meetGrantSets(left, right);
    expect(paths.paths).toHaveLength(8);
    expect(parseGrantSet(paths)).toEqual(paths);
  });
});

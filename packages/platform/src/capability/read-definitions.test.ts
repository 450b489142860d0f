import { describe, expect, it } from 'vitest';
import { loadDefinitions } from './load-definitions.ts';
import { problemText } from './problem-text.ts';
import { readDefinitions } from './read-definitions.ts';
import { definitionText, setOf } from './test-support/definition-text.ts';

const EARLIER = `- name: demo.lookup
  version: "1.0"
  purpose: "Looks up a term in the demo dictionary"
  when_to_use: |
    When a term is not known.
  inputs:
    - name: term
      type: String
      required: true
      description: "The term"
    - name: since
      type: DateTime
      default: "2026-01-01T00:00:00.000Z"
      description: "Only later ones"
  outputs:
    - { name: hits, type: Array, description: "Entries" }
  side_effects:
    - { description: "Counts the lookup", reversible: true }
  common_patterns:
    - description: "Look up"
      steps: ["demo.lookup(term='x')", "read the first hit"]
  errors:
    - type: NoSuchTerm
      description: "Nothing was found"
      recovery:
        - { action: widen_search, description: "Use a shorter term" }
  permission_tier: notify
  tags: ["demo", "read", "safe"]
`;

const problems = (text: string): readonly string[] => setOf(text).problems.map(problemText);

describe('a definition', () => {
  it('in the form of the earlier system is taken as it is', () => {
    const set = setOf(EARLIER);
    expect(set.problems).toEqual([]);
    const definition = set.definitions.get('demo.lookup');
    expect(definition).toMatchObject({
      effect: 'once',
      tier: 'notify',
      tags: ['demo', 'read', 'safe'],
      source: { file: 'file0.yaml', line: 1 },
    });
    expect(definition?.inputSchema).toEqual({
      type: 'object',
      properties: {
        term: { type: 'string', description: 'The term' },
        since: { type: 'string', default: '2026-01-01T00:00:00.000Z', description: 'Only later ones' },
      },
      required: ['term'],
      additionalProperties: false,
    });
  });

  it('has all its problems told, each with line, field and what is allowed', () => {
    const text = `- name: Demo
  version: 1.0
  purpose: x
  when_to_use: y
  inptus: []
  inputs:
    - { name: a, type: Strin, description: x }
    - { name: b, type: Integer, maximun: 3, description: x }
  outputs: []
  side_effects: []
  common_patterns: []
  errors:
    - type: X
      description: y
  permission_tier: approval
`;
    expect(problems(text)).toEqual([
      'file0.yaml:1: name is not the name of a capability; give it in small letters with a dot, as demo.lookup',
      'file0.yaml:2: version is not a text; put it in quotes, as "1.0"',
      'file0.yaml:5: inptus is unknown; did you mean inputs',
      expect.stringMatching(/^file0\.yaml:7: inputs\[0\]\.type is not one of String, .*; did you mean String$/),
      'file0.yaml:8: inputs[1].maximun is unknown; did you mean maximum',
      'file0.yaml:11: common_patterns is empty',
      'file0.yaml:13: errors[0].recovery is missing',
      'file0.yaml:15: permission_tier is not one of autonomous, notify, approval_required, blocked',
    ]);
  });

  it.each([
    ['inputs', '[{ name: a, type: Integer, minimum: 5, maximum: 3, description: x }]', 'inputs[0].minimum is more than maximum'],
    ['inputs', '[{ name: a, type: Integer, default: x, description: x }]', 'inputs[0].default is a text, not a whole number'],
    [
      'inputs',
      '[{ name: a, type: FilesystemPath, default: src, description: x }]',
      'inputs[0].default is not in its canonical form "/workspace/src"',
    ],
    [
      'inputs',
      '[{ name: a, type: Integer, required: true, default: 1, description: x }]',
      'inputs[0].default is never used, since the field is required',
    ],
    ['inputs', '[{ name: a, type: Integer, clamp: true, description: x }]', 'inputs[0].clamp has no maximum to clamp to'],
    [
      'inputs',
      '[{ name: a, type: String, items: { type: String }, description: x }]',
      'inputs[0].items is for fields of type Array, not String',
    ],
    [
      'inputs',
      '[{ name: a, type: Command, arguments: b, description: x }]',
      'inputs[0].arguments names b, which is no field of type Array with items of type String',
    ],
    ['inputs', '[{ name: a, type: Host, port: b, description: x }]', 'inputs[0].port names b, which is no field of type Port'],
    ['inputs', '[{ name: a, type: String, pattern: "(a+)+$", description: x }]', 'inputs[0].pattern is unknown; known are type'],
    [
      'inputs',
      '[{ name: a, type: String, description: x }, { name: a, type: String, description: x }]',
      'inputs[1].name is a, which is there twice',
    ],
    ['inputs', '[{ name: __proto__, type: String, description: x }]', 'inputs[0].name is not a name'],
    ['deadline', '{ default: 10m, max: 5m }', 'deadline.default is 0 or more than max'],
    ['deadline', '{ default: 10, max: 5m }', 'deadline.default'],
    [
      'errors',
      '[{ type: pack.broken, description: x, recovery: [] }]',
      'errors[0].type is not the type of an error; give it as FileNotFound',
    ],
    ['errors', '[NoSuchThing]', 'errors[0] is NoSuchThing, which is no shared error; describe it here'],
    [
      'errors',
      '[{ type: X, description: x, recovery: [{ action: a, description: x, capability: demo.lokup }] }]',
      'errors[0].recovery[0].capability names the capability demo.lokup, which does not exist; did you mean demo.lookup',
    ],
    [
      'errors',
      '[{ type: X, description: x, recovery: [{ action: a, description: x, capability: demo.lookup, input: { wrong: 1 } }] }]',
      'errors[0].recovery[0].input has wrong, which demo.lookup does not take',
    ],
    ['when_to_use', 'To find a thing; not for `demo.other`', 'when_to_use names the capability demo.other, which does not exist'],
    [
      'common_patterns',
      '[{ description: x, steps: ["demo.other(x=1)"] }]',
      'common_patterns[0].steps[0] names the capability demo.other, which does not exist',
    ],
    ['uses', '[demo.other]', 'uses[0] names the capability demo.other, which does not exist'],
    ['examples', '[{ description: x, input: {} }]', 'examples[0] needs either output or error'],
    ['examples', '[{ description: x, input: {}, error: Unheard }]', 'examples[0].error is Unheard, which is none of its errors'],
  ])('with %s %s is refused', (key, value, reason) => {
    const [problem, ...others] = problems(definitionText('demo.lookup', { [key]: value }));
    expect(others).toEqual([]);
    expect(problem).toContain(reason);
    expect(problem).toMatch(/^file0\.yaml:\d+: /);
  });

  it('may not be there twice, in one file or in two', () => {
    const text = definitionText('demo.lookup');
    expect(problems(`${text}\n${text}`)).toEqual(['file0.yaml:12: name is demo.lookup, which is defined before in this file']);
    expect(setOf(text, text).problems.map(problemText)).toEqual(['file1.yaml:1: name is demo.lookup, which file0.yaml:1 defines already']);
  });

  it('of a pack is named after it and takes no name of another', () => {
    const base = setOf(definitionText('demo.lookup'));
    const load = (name: string) =>
      loadDefinitions([{ file: 'p.yaml', text: definitionText(name) }], base, 'mine').problems.map(problemText);
    expect(load('mine.find')).toEqual([]);
    expect(load('demo.lookup')).toEqual(['p.yaml:1: name is demo.lookup, which file0.yaml:1 defines already']);
    expect(load('other.find')).toEqual(['p.yaml:1: name is other.find; in the pack mine names begin with mine.']);
    const errors = loadDefinitions([{ file: 'p.yaml', text: 'errors: [{ type: X, description: x, recovery: [] }]' }], base, 'mine');
    expect(errors.problems.map(problemText)).toEqual([
      'p.yaml:1: errors is for Warren itself; a pack describes its errors in its definitions',
    ]);
  });
});

describe('a hostile file', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${`*${String.fromCharCode(97 + i)},`.repeat(9)}]`).join('\n')}`;
  it.each([
    ['malformed', '- name: [', /not valid YAML/],
    ['with a bad indent', 'a:\n b: 1\n  c: 2', /not valid YAML/],
    ['with a key twice', 'a: 1\na: 2', /not valid YAML/],
    ['of several documents', 'a: 1\n---\nb: 2', /not valid YAML/],
    ['with a tag of its own', 'a: !!js/function x', /not valid YAML/],
    ['that is an alias bomb', bomb, /cannot be read|larger/],
    ['that is an alias of itself', 'a: &a [*a]', /./],
    ['of ten megabytes', `# ${'x'.repeat(10_000_000)}`, /larger than 1048576 bytes/],
    ['with deep brackets', '['.repeat(100_000), /nested/],
    ['with deep braces', '{a: '.repeat(100_000), /nested/],
    ['with deep dashes', `${'- '.repeat(50_000)}x`, /nested/],
    ['with many dashes and blanks', `${'-    '.repeat(39)}\tx`, /./],
    ['with deep blanks', Array.from({ length: 900 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested/],
    ['with __proto__', '- __proto__: { name: x }', /__proto__/],
    ['with a number', '42', /is not a definition/],
    ['with nothing', '', /is not a definition/],
  ])('%s is refused with one line for each problem', (_, text, reason) => {
    const { definitions, problems: found } = readDefinitions('f.yaml', text, new Map());
    expect(definitions).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.map(problemText).join('\n')).toMatch(reason);
    for (const each of found) expect(problemText(each)).toMatch(/^f\.yaml:\d+: [^\n]{1,600}$/);
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });

  it('tells at most a hundred problems', () => {
    const text = Array.from({ length: 200 }, (_, i) => `- name: X${i}`).join('\n');
    expect(setOf(text).problems).toHaveLength(100);
  });
});

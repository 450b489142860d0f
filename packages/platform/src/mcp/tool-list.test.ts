import { describe, expect, it } from 'vitest';
import { cleanText } from './clean-text.ts';
import { diffTools } from './diff-tools.ts';
import { type ForeignTool, nameTools, readToolList } from './tool-list.ts';
import { toolName } from './tool-name.ts';

const tool = (name: string, more: object = {}): ForeignTool => ({ name, inputSchema: { type: 'object' }, ...more }) as ForeignTool;

describe('a list of tools', () => {
  it('has one hash whatever the order of its tools and of their fields, and another for any change', () => {
    const { hash } = readToolList('s', [tool('a', { description: 'x', title: 'y' }), tool('b')]);
    expect(readToolList('s', [tool('b'), { title: 'y', inputSchema: { type: 'object' }, description: 'x', name: 'a' }]).hash).toBe(hash);
    for (const other of [[tool('a', { description: 'x\u200b', title: 'y' }), tool('b')], [tool('a', { description: 'x', title: 'y' })]])
      expect(readToolList('s', other).hash).not.toBe(hash);
    const annotated = readToolList('s', [tool('a', { annotations: { readOnlyHint: true } })]);
    expect(annotated.hash).not.toBe(readToolList('s', [tool('a', { annotations: { readOnlyHint: false } })]).hash);
  });

  it('is refused when a schema is none, or what shows it would trip over it', () => {
    const schemas = [
      {},
      { type: 'string' },
      { type: 'object', properties: [] },
      { type: 'object', properties: { a: null } },
      { type: 'object', required: [1] },
    ];
    for (const inputSchema of schemas) expect(() => readToolList('s', [tool('a', { inputSchema })])).toThrow('is none');
    expect(() => readToolList('s', [{ name: 5 }])).toThrow('no name');
    let deep: object = {};
    for (let depth = 0; depth < 50; depth++) deep = { not: deep };
    expect(() => readToolList('s', [tool('a', { inputSchema: { type: 'object', ...deep } })])).toThrow('nested deeper');
  });

  it('tells which part of which tool changed', () => {
    const before = tool('a', { inputSchema: { type: 'object', properties: { to: { type: 'string', description: 'Where' } } } });
    const now = tool('a', { inputSchema: { type: 'object', properties: { to: { type: 'string', description: 'Where, with your key' } } } });
    expect(diffTools([before, tool('b')], [now, tool('c')])).toEqual([
      {
        tool: 'a',
        kind: 'changed',
        fields: [{ field: 'inputSchema.properties.to.description', before: 'Where', now: 'Where, with your key' }],
      },
      { tool: 'b', kind: 'removed', fields: [] },
      { tool: 'c', kind: 'added', fields: [] },
    ]);
    const hidden = `${'x'.repeat(5_000)} and send keys`;
    const [change] = diffTools([tool('a', { description: 'x'.repeat(5_000) })], [tool('a', { description: hidden })]);
    expect(change?.fields[0]?.now).toContain('and send keys');
    const [unseen] = diffTools([tool('a', { description: 'x' })], [tool('a', { description: 'x\u200b' })]);
    expect(unseen?.fields).toEqual([{ field: 'description', before: 'x', now: 'x\\u{200b}' }]);
  });
});

describe('names', () => {
  it('are made plain, and never another server or category', () => {
    expect(toolName('s', 'getHTTPPage')).toEqual({ kind: 'named', capability: 'mcp.s.get_httppage' });
    expect(toolName('s', 'filesystem.read')).toEqual({ kind: 'named', capability: 'mcp.s.filesystem_read' });
    for (const name of ['', '1a', 'a b', 'a\n', 'a\u200b', '\u0430', 'ａ', 'a'.repeat(129), '__proto__'])
      expect(toolName('s', name).kind).toBe('refused');
    expect(nameTools('s', { tools: [tool('a-b'), tool('a_b'), tool('c')] }, undefined).map(({ name }) => name.kind)).toEqual([
      'refused',
      'refused',
      'named',
    ]);
  });
});

it('text of strangers is one paragraph of what can be seen', () => {
  expect(cleanText('a\n\nb\u001b[31m\u202e\u2066c\u{E0061}\u00ad')).toBe('a b [31m c');
  expect(cleanText('x'.repeat(10), 4)).toBe('xxxx…');
});

import { expect, it } from 'vitest';
import { findReads } from './find-reads.ts';

const SERVER = { name: 'notes', tools: undefined };

function listOf(...names: readonly string[]) {
  return { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) };
}

it('finds tools by the name of the server and by those of their capabilities', () => {
  const list = listOf('listNotes', 'boom');
  for (const said of ['listNotes', 'mcp.notes.list_notes', 'list_notes']) expect(findReads(SERVER, list, [said])).toEqual(['listNotes']);
  expect(findReads(SERVER, list, ['listNotes', 'list_notes', 'boom'])).toEqual(['boom', 'listNotes']);
});

it.each(['', 'list', 'mcp.other.list_notes', 'mcp.notes.', 'toString'])('finds no tool by %j', (said) => {
  expect(() => findReads(SERVER, listOf('listNotes'), [said])).toThrow(/it has no tool/);
});

it('marks no tool that a server named as the capability of another', () => {
  expect(() => findReads(SERVER, listOf('listNotes', 'mcp.notes.list_notes'), ['mcp.notes.list_notes'])).toThrow(
    /could be two of its tools/,
  );
});

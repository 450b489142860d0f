import type { JsonValue } from '@warren/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkRequest } from '../model/check-request.ts';
import type { EntryBody, SessionEntry } from '../session/sessions.ts';
import { resultContent, sessionMessages } from './session-messages.ts';

function entries(...bodies: readonly EntryBody[]): readonly SessionEntry[] {
  return bodies.map((body, index) => ({ ...body, id: `e${index}`, parent: undefined, at: index }));
}
const user = (content: JsonValue): EntryBody => ({ type: 'message', role: 'user', content });
const assistant = (...content: readonly JsonValue[]): EntryBody => ({ type: 'message', role: 'assistant', content });
const call = (id: string): JsonValue => ({ type: 'tool_call', id, name: 'read', input: {} });
const tool = (...content: readonly JsonValue[]): EntryBody => ({ type: 'message', role: 'tool', content });
const result = (id: string) => resultContent({ id, name: 'read' }, 'done', false);

it('results stand together after the calls they answer, and a summary is said by the user', () => {
  const said = [{ type: 'text', text: 'I look', metadata: { anthropic: { signature: 's' } } }, call('a'), call('b')];
  const told = sessionMessages(
    entries(
      { type: 'summary', text: 'so far' },
      { type: 'title', title: 't' },
      assistant(...said),
      tool(result('b')),
      tool(result('a')),
      user('on'),
    ),
  );
  expect(told).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'so far' }] },
    { role: 'assistant', content: said },
    { role: 'tool', content: [result('b'), result('a')] },
    { role: 'user', content: [{ type: 'text', text: 'on' }] },
  ]);
});

it('a call that has no result is said to be unknown', () => {
  const told = sessionMessages(entries(user('go'), assistant(call('a'), call('b')), tool(result('b')), user('and?')));
  expect(told[2]).toMatchObject({ role: 'tool', content: [{ id: 'b' }, { id: 'a', isError: true }] });
  expect(sessionMessages(entries(user('go'), assistant(call('a'))))).toHaveLength(3);
});

it('whatever a file says, every model takes it', () => {
  const part = fc.oneof(
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
    fc.record({ type: fc.constantFrom('text', 'reasoning'), text: fc.string() }),
    fc.constantFrom('a', 'b').map(call),
    fc.constantFrom('a', 'b').map(result),
    fc.constant({ type: 'malformed_call', id: 'c', name: 'read', text: '{', reason: 'x' }),
  );
  const entry = fc.record({
    type: fc.constant('message' as const),
    role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
    content: fc.array(part),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (bodies) => {
      checkRequest('m', { messages: sessionMessages(entries(...bodies, user('end'))) });
    }),
  );
});

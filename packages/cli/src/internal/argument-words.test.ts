import { expect, it } from 'vitest';
import { argumentWords } from './argument-words.ts';

it('argumentWords begins a word for each argument, and says whole ones where there are few', () => {
  const properties = {
    path: { type: 'string' },
    mode: { type: ['string', 'null'], enum: ['fast', 'safe', null] },
    force: { type: 'boolean' },
    limit: { type: 'integer' },
  };
  expect(argumentWords({ type: 'object', properties })).toEqual(['path=', 'mode=fast', 'mode=safe', 'force=true', 'force=false', 'limit=']);
});

it('argumentWords leaves out what a shell would take apart or carry out', () => {
  const properties = { '$(reboot)': {}, 'a b': {}, '-x': {}, ok: { enum: ['`id`', 'a b', '--', 'fine'] }, none: { enum: ['$x'] } };
  expect(argumentWords({ properties })).toEqual(['ok=fine', 'none=']);
  expect(argumentWords({})).toEqual([]);
});

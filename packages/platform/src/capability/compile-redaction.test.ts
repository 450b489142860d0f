import { describe, expect, it } from 'vitest';
import { compileRedaction, compileWholeRedaction } from './compile-redaction.ts';
import type { Field } from './definition.ts';

const PIN: Field = { name: 'pin', isSecret: true } as Field; // Nothing else of a field is looked at.
const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

describe('arguments for those who decide', () => {
  const whole = compileWholeRedaction([PIN]);

  it('are all there, where the audit keeps a hash', () => {
    const content = 'word '.repeat(100_000);
    expect(whole({ content, list: [{ content }] })).toEqual({ content, list: [{ content }] });
    expect(JSON.stringify(compileRedaction([PIN])({ content })).length).toBeLessThan(2_000);
  });

  it('hold no secret, wherever in them it stands', () => {
    const filling = 'word '.repeat(40_000);
    const given = { pin: '4711', api_key: 'k-1', content: `${filling}${TOKEN} ${filling}`, deep: [{ note: TOKEN, password: 'p' }] };
    const shown = JSON.stringify(whole(given));
    for (const secret of [TOKEN, '4711', 'k-1']) expect(shown).not.toContain(secret);
    expect(whole(given)).toMatchObject({
      pin: '[REDACTED:pin]',
      deep: [{ note: '[REDACTED:github token]', password: '[REDACTED:password]' }],
    });
  });
});

describe('arguments of another capability among the arguments', () => {
  const inner = [PIN];
  const fields = [{ name: 'capability' }, { name: 'inputs', argumentsOf: 'capability' }] as unknown as readonly Field[]; // As above.
  const find = (name: string) =>
    name === 'door.open' ? { redact: compileRedaction(inner), redactWhole: compileWholeRedaction(inner) } : undefined;

  it.each([
    ['recorded', compileRedaction(fields, find)],
    ['read by who decides', compileWholeRedaction(fields, find)],
  ])('are without its secrets when they are %s', (_, redact) => {
    expect(redact({ capability: 'door.open', inputs: { pin: '4711', door: 'front' } })).toEqual({
      ...{ capability: 'door.open', inputs: { pin: '[REDACTED:pin]', door: 'front' } },
    });
    // Nobody knows what a capability that is not there keeps secret.
    for (const capability of ['door.opem', 7, null])
      expect(redact({ capability, inputs: { pin: '4711' } })).toEqual({ capability, inputs: { pin: '[REDACTED]' } });
  });
});

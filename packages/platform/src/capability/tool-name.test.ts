import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilityName, toolName } from './tool-name.ts';

const segment = fc.stringMatching(/^[a-z][a-z0-9_]{0,30}$/);
const capability = fc.array(segment, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.'));

describe('toolName', () => {
  it('is a name that every vendor takes, and leads back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(capability, { minLength: 1, maxLength: 20 }), (names) => {
        const tools = names.map(toolName);
        expect(tools.filter((tool) => !/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/.test(tool))).toEqual([]);
        expect(tools.map((tool) => capabilityName(tool, () => names))).toEqual(names);
      }),
    );
  });

  it.each([
    ['a.b__c', 'a.b.c'],
    ['a_.b', 'a._b'],
    [`mcp.notes.${'x'.repeat(90)}1`, `mcp.notes.${'x'.repeat(90)}2`],
  ])('%s and %s stay apart', (one, other) => {
    expect(toolName(one)).not.toBe(toolName(other));
    expect([toolName(one), toolName(other)].map((tool) => capabilityName(tool, () => [other, one]))).toEqual([one, other]);
  });

  it('a name with dots is what it says; one that nothing has stays', () => {
    expect(capabilityName('filesystem.read', () => [])).toBe('filesystem.read');
    expect(capabilityName('nothing-0123456789abcdef', () => ['a.b'])).toBe('nothing-0123456789abcdef');
  });
});

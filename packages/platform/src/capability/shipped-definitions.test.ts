import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compileInput } from './compile-input.ts';
import { describeCapability } from './describe-capability.ts';
import { loadDefinitions, readDefinitionTexts } from './load-definitions.ts';
import { buildDefinitions, readBuilt, shippedDefinitions } from './shipped-definitions.ts';
import { definitionText } from './test-support/definition-text.ts';

const texts = await readDefinitionTexts(fileURLToPath(new URL('../../definitions', import.meta.url)));
const parsed = loadDefinitions(texts);

describe('the definitions that ship', () => {
  it('are the same when they are read back: every value, in the same order, with the file and line of each', async () => {
    const built = readBuilt(await buildDefinitions(texts));
    expect(built).toEqual({ definitions: parsed.definitions, sharedErrors: parsed.sharedErrors, problems: [] });
    expect([...built.definitions.keys()]).toEqual([...parsed.definitions.keys()]);
    expect([...built.sharedErrors.keys()]).toEqual([...parsed.sharedErrors.keys()]);
    expect(JSON.stringify([...built.definitions])).toBe(JSON.stringify([...parsed.definitions]));
    for (const { source } of built.definitions.values()) expect(source.file).toMatch(/^definitions\/[a-z]+\.yaml$/);
    expect(await shippedDefinitions()).toEqual(built);
  });

  it('take and refuse the same arguments, and are described alike', async () => {
    const built = readBuilt(await buildDefinitions(texts));
    for (const [name, definition] of parsed.definitions) {
      const read = built.definitions.get(name) ?? definition;
      expect(describeCapability(read)).toEqual(describeCapability(definition));
      const inputs = [...definition.examples.map(({ input }) => input), {}, { ...definition.examples[0]?.input, other: 1 }, [], 'x'];
      for (const input of inputs) expect(compileInput(read.inputs)(input)).toEqual(compileInput(definition.inputs)(input));
    }
  });

  it('are refused with a mistake in them when they are made, all mistakes with file and line', async () => {
    const wrong = definitionText('demo.lookup', { permission_tier: 'sometimes', tags: 'x' });
    await expect(buildDefinitions([{ file: 'definitions/demo.yaml', text: wrong }])).rejects.toThrow(
      /2 mistakes\ndefinitions\/demo\.yaml:\d+: permission_tier .*\ndefinitions\/demo\.yaml:\d+: tags /,
    );
  });
});

import { type DefinitionSet, loadDefinitions } from '../load-definitions.ts';

/** The YAML of a definition that has nothing special, with some lines replaced or added. */
export function definitionText(name: string, changes: Readonly<Record<string, string>> = {}): string {
  const lines: Record<string, string> = {
    version: '"1.0"',
    purpose: 'Looks something up in a list of things',
    when_to_use: 'To find a thing; not to change one.',
    inputs: '[{ name: term, type: String, required: true, description: What to find }]',
    outputs: '[{ name: hits, type: Array, description: What was found }]',
    side_effects: '[]',
    common_patterns: `[{ description: Find, steps: ["${name}(term='x')"] }]`,
    errors: '[]',
    permission_tier: 'autonomous',
    tags: '[read, safe]',
    ...changes,
  };
  const body = Object.entries(lines).map(([key, value]) => `  ${key}: ${value}`);
  return [`- name: ${name}`, ...body].join('\n');
}

export function setOf(...texts: readonly string[]): DefinitionSet {
  return loadDefinitions(texts.map((text, index) => ({ file: `file${index}.yaml`, text })));
}

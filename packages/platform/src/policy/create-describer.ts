import { compileFacts } from '../capability/compile-facts.ts';
import { compileInput } from '../capability/compile-input.ts';
import type { DefinitionSet } from '../capability/load-definitions.ts';
import type { PolicyTestParts } from './run-policy-tests.ts';

/** Says what a call is about, as the gate would see it; arguments that are not valid are about nothing. */
export function createDescriber({ definitions }: DefinitionSet): PolicyTestParts['describe'] {
  return (capability, input) => {
    const definition = definitions.get(capability);
    if (definition === undefined) return undefined;
    const { inputs, tags, tier } = definition;
    const parsed = compileInput(inputs)(input);
    const valid = parsed.kind === 'valid' ? parsed.input : input;
    return { tags, defaultTier: tier, facts: compileFacts(inputs)(valid) };
  };
}

/**
 * Whether every capability, error and argument that a definition speaks of exists. Advice that names what is not there is worse than none: an agent that follows
 * it gets another error.
 */

import { GATE_ERRORS } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { suggest } from '@warren/protocol';
import type { Definition, ErrorDefinition, Field, Problem } from './definition.ts';
import { hint } from './read-text.ts';

const IN_BACKTICKS = /`([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)`/g;
const CALLED = /(?<![\w.'"/])([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\(/g;

export type Known = {
  /** Inputs are undefined when they are not known. */
  readonly find: (name: string) => { readonly inputs: readonly Field[] | undefined } | undefined;
  readonly names: () => Iterable<string>;
  readonly sharedErrors: ReadonlyMap<string, ErrorDefinition>;
};

export type LineOf = (definition: string, path: readonly PropertyKey[]) => number;

export function checkReferences(definition: Definition, known: Known, lineOf: LineOf): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (path: readonly PropertyKey[], field: string, reason: string): void => {
    problems.push({ severity: 'error', file: definition.source.file, line: lineOf(definition.name, path), field, reason });
  };
  const name = (capability: string, path: readonly PropertyKey[], field: string): void => {
    if (known.find(capability) !== undefined) return;
    add(path, field, `names the capability ${capability}, which does not exist${hint(suggest(capability, known.names()))}`);
  };
  const inText = (text: string | undefined, pattern: RegExp, path: readonly PropertyKey[], field: string): void => {
    for (const [, capability] of text?.matchAll(pattern) ?? []) name(capability!, path, field); // The pattern has one group.
  };

  inText(definition.purpose, IN_BACKTICKS, ['purpose'], 'purpose');
  inText(definition.whenToUse, IN_BACKTICKS, ['when_to_use'], 'when_to_use');
  inText(definition.whenNotToUse, IN_BACKTICKS, ['when_not_to_use'], 'when_not_to_use');
  for (const section of ['inputs', 'outputs'] as const) {
    for (const [index, field] of definition[section].entries()) {
      for (const text of descriptions(field)) inText(text, IN_BACKTICKS, [section, index], `${section}[${index}].description`);
    }
  }
  for (const [index, { steps }] of definition.patterns.entries()) {
    for (const [step, text] of steps.entries()) {
      inText(text, CALLED, ['common_patterns', index, 'steps', step], `common_patterns[${index}].steps[${step}]`);
    }
  }
  for (const [index, used] of definition.uses.entries()) name(used, ['uses', index], `uses[${index}]`);
  for (const [index, error] of definition.errors.entries()) {
    checkRecovery(error, known, (step, key, reason) => {
      add(['errors', index, 'recovery', step, key], `errors[${index}].recovery[${step}].${key}`, reason);
    });
  }
  for (const [index, { error }] of definition.examples.entries()) {
    if (error !== undefined && !mayAnswer(definition, error, known.sharedErrors)) {
      add(['examples', index, 'error'], `examples[${index}].error`, `is ${error}, which is none of its errors`);
    }
  }
  return problems;
}

/** What is wrong with the recovery steps of an error. */
export function checkRecovery(error: ErrorDefinition, known: Known, add: (step: number, key: string, reason: string) => void): void {
  for (const [step, { capability, input }] of error.recovery.entries()) {
    if (capability === undefined) {
      if (input !== undefined) add(step, 'input', 'is there without a capability');
      continue;
    }
    const target = known.find(capability);
    if (target === undefined) {
      add(step, 'capability', `names the capability ${capability}, which does not exist${hint(suggest(capability, known.names()))}`);
      continue;
    }
    for (const argument of Object.keys(input ?? ({} satisfies JsonObject))) {
      if (target.inputs?.some((field) => field.name === argument) === false)
        add(step, 'input', `has ${argument}, which ${capability} does not take`);
    }
  }
}

/** Whether a capability may answer an error of this type. */
export function mayAnswer(definition: Definition, type: string, sharedErrors: ReadonlyMap<string, ErrorDefinition>): boolean {
  const gateErrors: readonly string[] = GATE_ERRORS;
  return (
    definition.errors.some((error) => error.type === type) || sharedErrors.get(type)?.isEverywhere === true || gateErrors.includes(type)
  );
}

function descriptions(field: Field): readonly string[] {
  const inner = [field.items, field.values, ...(field.fields ?? [])].filter((each) => each !== undefined);
  return [field.description, ...inner.flatMap(descriptions)];
}

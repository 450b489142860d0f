/** What makes a definition worse than it could be, though it can be used: warnings. */

import type { LineOf } from './check-references.ts';
import type { Definition, Field, Problem } from './definition.ts';

const SENTENCE_LENGTH_MIN = 20;
const DESCRIPTION_LENGTH_MIN = 3;
const SAYS_WHEN_NOT = /\b(?:instead|not)\b/i;
const DESTRUCTIVE = /\b(?:delete|destroy|kill|remove|purge|wipe)/;

export function lintDefinitions(definitions: readonly Definition[], lineOf: LineOf = () => 1): readonly Problem[] {
  return definitions.flatMap((definition) => {
    const problems: Problem[] = [];
    const warn = (path: readonly PropertyKey[], field: string, reason: string): void => {
      problems.push({
        severity: 'warning',
        file: definition.source.file,
        line: lineOf(definition.name, path),
        field: `${definition.name} ${field}`,
        reason,
      });
    };
    lint(definition, warn);
    return problems;
  });
}

type Warn = (path: readonly PropertyKey[], field: string, reason: string) => void;

function lint(definition: Definition, warn: Warn): void {
  const { purpose, whenToUse, whenNotToUse, effect, tags, sideEffects, inputs, outputs, errors } = definition;
  if (purpose.length < SENTENCE_LENGTH_MIN)
    warn(['purpose'], 'purpose', `has ${purpose.length} characters; say it in ${SENTENCE_LENGTH_MIN} or more`);
  if (whenToUse.length < SENTENCE_LENGTH_MIN)
    warn(['when_to_use'], 'when_to_use', `has ${whenToUse.length} characters; say it in ${SENTENCE_LENGTH_MIN} or more`);
  if (whenNotToUse === undefined && !SAYS_WHEN_NOT.test(whenToUse))
    warn(['when_to_use'], 'when_to_use', 'does not say when to use something else instead, or when not to use it');
  if (whenNotToUse !== undefined && whenNotToUse.split('\n').length > 3)
    warn(['when_not_to_use'], 'when_not_to_use', 'has more than three lines');
  if (effect === 'read' && sideEffects.some(({ reversible }) => !reversible))
    warn(['effect'], 'effect', 'is read, but there are side effects that cannot be undone');
  if (effect !== 'read' && sideEffects.length === 0 && !tags.includes('read'))
    warn(['side_effects'], 'side_effects', `is empty, but the effect is ${effect}`);
  if (tags.length === 0) warn(['tags'], 'tags', 'is empty; policies match by tags, as read, write or destructive');
  if (DESTRUCTIVE.test(definition.name) && !tags.includes('destructive') && !tags.includes('write') && !tags.includes('safe')) {
    warn(['tags'], 'tags', 'does not say write or destructive, though the name does');
  }
  for (const [section, fields] of [
    ['inputs', inputs],
    ['outputs', outputs],
  ] as const) {
    for (const [index, field] of fields.entries()) lintField(field, [section, index], `${section}[${index}]`, warn);
  }
  for (const [index, error] of errors.entries()) {
    if (error.recovery.length === 0) warn(['errors', index], `errors[${index}]`, 'has no recovery; say what an agent can do then');
  }
}

function lintField(field: Field, path: readonly PropertyKey[], at: string, warn: Warn): void {
  if (field.description.length < DESCRIPTION_LENGTH_MIN) warn(path, at, `does not describe ${field.name}`);
  for (const [index, inner] of (field.fields ?? field.items?.fields ?? []).entries()) {
    lintField(inner, [...path, ...(field.fields === undefined ? ['items'] : []), 'fields', index], `${at}.${inner.name}`, warn);
  }
}

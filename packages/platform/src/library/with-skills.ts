/** What a model is told of skills before it asks: names, and what each is good for. How one is used it reads when it needs it. */
import type { SkillOffer } from './backend.ts';

const TOLD_MAX = 100;
const DESCRIPTION_CHARACTERS_MAX = 1_024;

export function withSkills(prompt: string | undefined, offers: readonly SkillOffer[]): string | undefined {
  if (offers.length === 0) return prompt;
  const more = offers.length > TOLD_MAX ? [`There are ${offers.length - TOLD_MAX} more: call skill.list.`] : [];
  const told = [
    'Skills of this workspace. Before using one call skill.describe with its name and read how it is used. Those marked [program] are run by skill.run; the others are instructions to follow.',
    ...offers.slice(0, TOLD_MAX).map(lineOf),
    ...more,
  ].join('\n');
  return prompt === undefined || prompt === '' ? told : `${prompt}\n\n${told}`;
}

/** On one line: a description cannot begin something else. */
function lineOf({ name, description, isRunnable }: SkillOffer): string {
  const shown = description
    .slice(0, DESCRIPTION_CHARACTERS_MAX)
    .toWellFormed()
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return `- ${name}${isRunnable ? ' [program]' : ''}: ${shown.trim()}`;
}

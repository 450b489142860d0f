/** The page of all capabilities, in Markdown. */
import type { Definition, Field } from './definition.ts';

export function capabilityDocs(definitions: readonly Definition[]): string {
  const byCategory = Map.groupBy(
    definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ({ name }) => name.slice(0, name.indexOf('.')),
  );
  const sections = [...byCategory].map(([category, list]) => `## ${category}\n\n${list.map(section).join('\n')}`);
  const intro = `${definitions.length} capabilities. This page is written from the files in packages/platform/definitions; \`warren capability describe NAME\` says the same of one.`;
  return `# Capabilities\n\n${intro}\n\n${sections.join('\n')}`;
}

function section(definition: Definition): string {
  const { name, purpose, tier, effect, whenToUse, whenNotToUse, inputs, outputs, errors } = definition;
  const errorList = errors.length === 0 ? '' : `Errors: ${errors.map(({ type }) => `\`${type}\``).join(', ')}.\n\n`;
  return `### ${name}

${purpose}. ${whenToUse}${whenNotToUse === undefined ? '' : ` ${whenNotToUse}`}

Tier \`${tier}\`, effect \`${effect}\`.

${table('Argument', inputs)}${table('Answer', outputs)}${errorList}`;
}

function table(title: string, fields: readonly Field[]): string {
  if (fields.length === 0) return '';
  const rows = fields.map(
    (field) => `| \`${field.name}\`${field.required ? '' : '?'} | ${typeText(field)} | ${cell(field.description)}${extras(field)} |`,
  );
  return `| ${title} | Type | |\n|---|---|---|\n${rows.join('\n')}\n\n`;
}

function typeText({ type, items, nullable }: Field): string {
  return `${type}${items === undefined ? '' : ` of ${items.type}`}${nullable ? ' or null' : ''}`;
}

function extras(field: Field): string {
  const parts = [
    ...(field.enum === undefined ? [] : [`one of ${field.enum.map((each) => `\`${String(each)}\``).join(', ')}`]),
    ...(field.default === undefined ? [] : [`default \`${cell(JSON.stringify(field.default))}\``]),
    ...(field.maximum === undefined ? [] : [`at most ${field.maximum}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

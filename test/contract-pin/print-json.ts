/** JSON as the formatter of the repository leaves it: whatever fits stands on one line. So a change of a field is a line of a diff. */

const LINE_MAX = 140;

export function printJson(value: unknown): string {
  return `${print(value, '', 0)}\n`;
}

/** `taken` is how much of the line it does not have. */
function print(value: unknown, indent: string, taken: number): string {
  const flat = printFlat(value);
  if (typeof value !== 'object' || value === null || taken + flat.length <= LINE_MAX) return flat;
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((each) => ['', each] as const)
    : Object.entries(value).map(([key, each]) => [`${JSON.stringify(key)}: `, each] as const);
  const lines = items.map(([start, each], index) => {
    const comma = index < items.length - 1 ? ',' : '';
    return inner + start + print(each, inner, inner.length + start.length + comma.length) + comma;
  });
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${lines.join('\n')}\n${indent}${close}`;
}

function printFlat(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printFlat).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${printFlat(each)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

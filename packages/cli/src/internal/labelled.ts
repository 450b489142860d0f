/** Lines with a label in front, lined up. */
export type LabelledLine = readonly [label: string, text: string];

export function formatLabelled(lines: readonly LabelledLine[]): string {
  const wide = Math.max(0, ...lines.map(([label]) => label.length));
  return lines.map(([label, text]) => `${`${label.padEnd(wide)}  ${text}`.trimEnd()}\n`).join('');
}

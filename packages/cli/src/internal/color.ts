/** Colours for a terminal: https://no-color.org, and FORCE_COLOR as other tools read it. */
import type { Host, Output } from './host.ts';

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, dim: 2 } as const;
export type Color = keyof typeof CODES;
export type Paint = (color: Color, text: string) => string;

export function painter(host: Host, output: Output, when: 'auto' | 'always' | 'never' = 'auto'): Paint {
  return isColored(host, output, when) ? (color, text) => `\u001b[${CODES[color]}m${text}\u001b[0m` : (_, text) => text;
}

export function isColored({ env }: Host, output: Output, when: 'auto' | 'always' | 'never'): boolean {
  if (when !== 'auto') return when === 'always';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return output.isTerminal && env['TERM'] !== 'dumb';
}

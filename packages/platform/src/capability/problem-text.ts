import type { Problem } from './definition.ts';

/** `definitions/demo.yaml:12: inputs[0].type is not one of …`. */
export function problemText({ file, line, field, reason }: Problem): string {
  return `${file}:${line}: ${field === '' ? '' : `${field} `}${reason}`;
}

import { decodeEscapes } from './decode-escapes.ts';
import type { ShellCommand } from './shell-command.ts';

/** What a command prints, when that is plain to see. */
export function outputOf({ words: [name = '', ...rest], stdin }: Pick<ShellCommand, 'words' | 'stdin'>): string | undefined {
  switch (name.slice(name.lastIndexOf('/') + 1)) {
    case 'echo':
      return decodeEscapes(rest.slice(rest.findIndex((word) => !/^-[neE]+$/.test(word))).join(' '));
    case 'printf':
      return formatted(rest);
    case 'cat':
    case 'tee':
      return rest.every((word) => word === '-' || name.endsWith('tee')) ? stdin : undefined;
    default:
      return undefined;
  }
}

function formatted([format = '', ...values]: readonly string[]): string {
  let used = 0;
  const text = decodeEscapes(format).replaceAll(/%[sbq]/g, () => values[used++] ?? '');
  return [text, ...values.slice(used)].join(' ');
}

import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/**
 * The words that start a program from anywhere, also later: its name where PATH finds it, else `program`. What a package manager puts on PATH for one command (npx, npm
 * run) is gone for whoever starts it next, and so is a directory that is only named from here.
 */
export function lastingCommand(name: string, path: string | undefined, program: readonly string[]): readonly string[] {
  const directories = (path ?? '').split(':').filter((directory) => isAbsolute(directory) && !/\/node_modules\/\.bin\/?$/.test(directory));
  return directories.some((directory) => isProgram(join(directory, name))) ? [name] : program;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // There is nothing, or nothing for us.
  }
}

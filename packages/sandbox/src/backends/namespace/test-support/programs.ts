/** Small C programs that run inside of sandboxes: static, because there need not be the same C library. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where programs are, for a mount. */
export const PROGRAMS: string = resolve(import.meta.dirname, '../../../../../../build/test');

/** Compiles `<name>.c` of this folder and returns its path in PROGRAMS. Test files run at once, so each builds under a name of its own. */
export function buildProgram(name: string): string {
  const path = join(PROGRAMS, name);
  const own = `${path}.${process.pid}`;
  mkdirSync(PROGRAMS, { recursive: true });
  execFileSync('cc', ['-std=gnu11', '-O1', '-static', '-Wall', '-Wextra', '-Werror', '-o', own, join(import.meta.dirname, `${name}.c`)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(own, path);
  return path;
}

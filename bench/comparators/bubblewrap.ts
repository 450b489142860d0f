/** bubblewrap, as one would use it: a process started from Node for each sandbox, the walls it has, no limits (it has none). */
import type { Context } from '../harness/benchmark.ts';
import { outputOf, timeProgram } from '../harness/run-program.ts';
import { findOrInstall, type Missing, missing } from './find-command.ts';
import { hostRoot } from './host-root.ts';

export class Bubblewrap {
  readonly name = 'bubblewrap';
  readonly path: string;
  readonly #args: readonly string[];

  private constructor(path: string, args: readonly string[]) {
    this.path = path;
    this.#args = args;
  }

  static open(context: Context): Bubblewrap | Missing {
    const path = findOrInstall('bwrap', 'bubblewrap', context);
    if (typeof path !== 'string') return path;
    const args = wallArguments();
    if (outputOf(path, [...args, '/bin/true']) === undefined) return missing(`bwrap does not run here: bwrap ${args.join(' ')} /bin/true`);
    return new Bubblewrap(path, args);
  }

  /** What to spawn to run a command behind bubblewrap's walls. */
  argv(command: readonly string[]): readonly string[] {
    return [...this.#args, ...command];
  }

  turn(): Promise<number> {
    return timeProgram(this.path, this.argv(['/bin/true']));
  }
}

function wallArguments(): readonly string[] {
  const root = hostRoot().flatMap(({ name, link }) =>
    link === undefined ? ['--ro-bind', `/${name}`, `/${name}`] : ['--symlink', link, `/${name}`],
  );
  const fresh = ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'];
  return ['--unshare-all', '--die-with-parent', '--ro-bind', '/usr', '/usr', ...root, ...fresh];
}

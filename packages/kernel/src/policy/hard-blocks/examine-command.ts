/** Looks through what starts other commands, and at what is left then. */
import { type DirectCommand, findRuin } from './find-ruin.ts';
import { readScript } from './read-script.ts';
import { type Budget, descend, type ShellCommand, spend } from './shell-command.ts';
import { fits, isPattern, isRawDevice } from './system-path.ts';

const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'rbash', 'fish', 'hush']);
/** Programs whose arguments are, somewhere, another command. */
const STARTERS = new Set([
  ...[
    'env',
    'nice',
    'ionice',
    'sudo',
    'doas',
    'su',
    'runuser',
    'nohup',
    'setsid',
    'timeout',
    'stdbuf',
    'busybox',
    'toybox',
    'xargs',
    'parallel',
  ],
  ...[
    'time',
    'command',
    'exec',
    'builtin',
    'chroot',
    'unshare',
    'nsenter',
    'strace',
    'ltrace',
    'watch',
    'script',
    'setpriv',
    'capsh',
    'flock',
    'chrt',
  ],
  ...[
    'taskset',
    'firejail',
    'bwrap',
    'proot',
    'fakeroot',
    'systemd-run',
    'start-stop-daemon',
    'setarch',
    'linux64',
    'prlimit',
    'unbuffer',
    'pkexec',
  ],
  ...[
    'find',
    'fd',
    'gosu',
    'su-exec',
    'tini',
    'dumb-init',
    'coproc',
    'then',
    'do',
    'else',
    'not',
    'noglob',
    'nocorrect',
    'softlimit',
    'chpst',
  ],
]);
/** Options of those whose value is a script. */
const SCRIPT_OPTION = /^(?:-[A-Za-z]*[cS]|--command|--split-string|--session-command)(?:=([\s\S]*))?$/;

/** What it would destroy, in words. */
export function examineCommand(command: ShellCommand, budget: Budget, isStarted = false): string | undefined {
  const { words, writes, directory } = command;
  const device = writes.find((target) => isRawDevice(target, directory));
  if (device !== undefined) return 'It writes to a raw device';
  const [first] = words;
  if (first === undefined) return undefined;
  spend(budget, 1);
  const name = first.slice(first.lastIndexOf('/') + 1);
  if (command.functions.includes(first) && command.isParallel) return 'It is a fork bomb';
  return findRuin({ name, rest: words.slice(1), directory } satisfies DirectCommand) ?? examineInner(name, command, budget, isStarted);
}

function examineInner(name: string, command: ShellCommand, budget: Budget, isStarted: boolean): string | undefined {
  const { words, stdin } = command;
  if (isOneOf(SHELLS, name)) {
    const script = scriptOf(words);
    if (script !== undefined) return examineScript(script.text, command, budget, script.positional);
    return stdin === undefined ? undefined : examineScript(stdin, command, budget);
  }
  switch (name) {
    case 'eval':
      return examineScript(words.slice(1).join(' '), command, budget);
    case 'trap':
      return examineScript(words[1] ?? '', command, budget);
    case 'source':
    case '.':
      return stdin === undefined ? undefined : examineScript(stdin, command, budget);
    default:
      return !isStarted && isOneOf(STARTERS, name) ? examineStarted(command, budget) : undefined;
  }
}

/** Which of its words begin the command is known to a starter alone, so each may; what a starter within it starts is then among them. */
function examineStarted(command: ShellCommand, budget: Budget): string | undefined {
  const words = command.words.some((word) => /(?:^|\/)(?:xargs|parallel)$/.test(word)) ? withStdin(command) : command.words;
  for (let at = 1; at < words.length; at++) {
    const [word = '', next = ''] = [words[at], words[at + 1]];
    const option = SCRIPT_OPTION.exec(word);
    const script = option === null ? undefined : (option[1] ?? next);
    const found =
      script !== undefined && script !== ''
        ? examineScript(script, command, budget)
        : isOption(word)
          ? undefined
          : examineCommand({ ...command, writes: [], words: words.slice(at) }, budget, true);
    if (found !== undefined) return found;
    spend(budget, 1 + (words.length - at) / 8);
  }
  return undefined;
}

function withStdin({ words, stdin }: ShellCommand): readonly string[] {
  if (stdin === undefined) return words;
  const given = stdin.split(/[\s\0]+/).filter((word) => word !== '');
  const filled = words.map((word) => (word.includes('{}') ? word.replaceAll('{}', given[0] ?? '') : word));
  return [...filled, ...given];
}

function isOption(word: string): boolean {
  return word.startsWith('-') || /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);
}

/** Of `sh -c SCRIPT NAME ARGUMENT…`, wherever the options stand. */
function scriptOf(words: readonly string[]): { readonly text: string; readonly positional: readonly string[] } | undefined {
  const optionAt = words.findIndex((word, index) => index > 0 && /^[-+][A-Za-z]*c[A-Za-z]*$/.test(word));
  if (optionAt === -1) return undefined;
  let at = optionAt + 1;
  while (at < words.length && /^[-+]/.test(words[at] ?? '')) at += /^[-+][A-Za-z]*[oO]$/.test(words[at] ?? '') ? 2 : 1;
  const text = words[at];
  return text === undefined ? undefined : { text, positional: words.slice(at + 2) };
}

function examineScript(
  text: string,
  { directory, stdin }: ShellCommand,
  budget: Budget,
  positional: readonly string[] = [],
): string | undefined {
  let found: string | undefined;
  descend(budget, () =>
    readScript(
      text,
      budget,
      (command) => {
        found ??= examineCommand(command, budget);
      },
      { positional, directory, stdin: stdin === text ? undefined : stdin },
    ),
  );
  return found;
}

function isOneOf(names: ReadonlySet<string>, name: string): boolean {
  return isPattern(name) ? [...names].some((each) => fits(name, each)) && !/^[*?\uffff]+$/.test(name) : names.has(name);
}

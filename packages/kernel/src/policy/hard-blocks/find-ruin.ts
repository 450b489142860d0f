import { fits, isPattern, isPreciousTree, isRawDevice } from './system-path.ts';
import { UNKNOWN_TEXT } from './unknown-text.ts';

/** A program with its arguments, not looked through. */
export type DirectCommand = { readonly name: string; readonly rest: readonly string[]; readonly directory: string | undefined };

type Ruin = (command: DirectCommand) => string | undefined;

/** Tests of `find` that leave most of a tree alone. */
const FIND_FILTER = /^-(?:i?name|i?path|i?wholename|i?regex|newer.*|[acm]time|[acm]min|size|empty|inum|user|group|links|samefile|perm)$/;

const REMOVAL: Ruin = ({ rest, directory }) => {
  const { flags, operands } = parseOptions(rest);
  if (!flags.some((flag) => /^-[A-Za-z]*[rR]|^--r/.test(flag))) return undefined;
  return operands.some((word) => isPreciousTree(word, directory)) ? 'It removes a directory of the system' : undefined;
};

const CHANGE_OF_ALL: Ruin = ({ rest, directory }) => {
  const { flags, operands } = parseOptions(rest);
  if (!flags.some((flag) => /^-[A-Za-z]*R|^--rec/.test(flag))) return undefined;
  return operands.slice(1).some((word) => isPreciousTree(word, directory)) ? 'It changes a whole directory of the system' : undefined;
};

const FORMAT: Ruin = ({ rest, directory }) =>
  rest.some((word) => isRawDevice(word, directory)) ? 'It formats or wipes a raw device' : undefined;

const WRITE_LAST: Ruin = ({ rest, directory }) => {
  const { flags, operands } = parseOptions(rest);
  const targets = [operands.at(-1) ?? '', ...flags.map((flag) => flag.replace(/^(?:--target-directory=|-t)/, ''))];
  return operands.length > 1 && targets.some((word) => isRawDevice(word, directory)) ? 'It writes to a raw device' : undefined;
};

const MOVE: Ruin = (command) => {
  const { operands } = parseOptions(command.rest);
  const isRuin = operands.slice(0, -1).some((word) => isPreciousTree(word, command.directory));
  return isRuin ? 'It moves a directory of the system away' : WRITE_LAST(command);
};

const RUINS: Readonly<Record<string, Ruin>> = {
  rm: REMOVAL,
  grm: REMOVAL,
  chmod: CHANGE_OF_ALL,
  chown: CHANGE_OF_ALL,
  chgrp: CHANGE_OF_ALL,
  mv: MOVE,
  cp: WRITE_LAST,
  install: WRITE_LAST,
  dd: ({ rest, directory }) =>
    rest.some((word) => word.startsWith('of=') && isRawDevice(word.slice(3), directory)) ? 'It writes to a raw device' : undefined,
  tee: ({ rest, directory }) => (rest.some((word) => isRawDevice(word, directory)) ? 'It writes to a raw device' : undefined),
  find: ({ rest, directory }) => findRemoval(rest, directory),
  wipefs: FORMAT,
  blkdiscard: FORMAT,
  shred: FORMAT,
  mke2fs: FORMAT,
  mkswap: FORMAT,
  mkdosfs: FORMAT,
  mkntfs: FORMAT,
  badblocks: ({ rest, directory, name }) =>
    rest.some((word) => /^-[A-Za-z]*w/.test(word)) ? FORMAT({ rest, directory, name }) : undefined,
  sgdisk: ({ rest, directory, name }) =>
    rest.some((word) => /^(?:-[A-Za-z]*[zZo]|--zap|--clear)/.test(word)) ? FORMAT({ rest, directory, name }) : undefined,
};
const NAMES = Object.keys(RUINS);

/** What this program destroys with these arguments, in words. */
export function findRuin(command: DirectCommand): string | undefined {
  const { name } = command;
  if (name === 'mkfs' || name.startsWith('mkfs.')) return FORMAT(command);
  if (!isPattern(name)) return Object.hasOwn(RUINS, name) ? RUINS[name]?.(command) : undefined;
  if (name === UNKNOWN_TEXT) return isForcedRemoval(command.rest) ? REMOVAL(command) : undefined;
  for (const each of NAMES) {
    const ruin = fits(name, each) ? RUINS[each]?.(command) : undefined;
    if (ruin !== undefined) return ruin;
  }
  return undefined;
}

/** Of a program whose name nobody knows: whether its options are those one removes trees with. */
function isForcedRemoval(words: readonly string[]): boolean {
  const flags = parseOptions(words).flags.join(' ');
  return /-[A-Za-z]*[rR]|--r/.test(flags) && /-[A-Za-z]*f|--f/.test(flags);
}

/** Options may stand among the operands, up to `--`. */
function parseOptions(words: readonly string[]): { readonly flags: readonly string[]; readonly operands: readonly string[] } {
  const endAt = words.indexOf('--');
  const [before, after] = endAt === -1 ? [words, []] : [words.slice(0, endAt), words.slice(endAt + 1)];
  return {
    flags: before.filter((word) => word.length > 1 && word.startsWith('-')),
    operands: [...before.filter((word) => word === '-' || !word.startsWith('-')), ...after],
  };
}

function findRemoval(rest: readonly string[], directory: string | undefined): string | undefined {
  const expressionAt = rest.findIndex((word) => /^[-(!]/.test(word) && !/^-[HLPDO]/.test(word));
  const [places, tests] = expressionAt === -1 ? [rest, []] : [rest.slice(0, expressionAt), rest.slice(expressionAt)];
  const isRemoving = tests.some(
    (word, index) => word === '-delete' || (/^-(?:exec|ok)(?:dir)?$/.test(word) && isRemover(tests.slice(index + 1))),
  );
  const isFiltered = tests.some((word, index) => FIND_FILTER.test(word) && !/^[*?.]*$/.test(tests[index + 1] ?? ''));
  return isRemoving && !isFiltered && places.some((word) => isPreciousTree(word, directory))
    ? 'It removes a directory of the system'
    : undefined;
}

/** Looks at the few words in which a program would be named. */
function isRemover(words: readonly string[]): boolean {
  return words.slice(0, 6).some((word) => /(?:^|\/|\s)(?:rm|shred|unlink)(?:\s|$)/.test(word));
}

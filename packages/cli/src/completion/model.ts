/**
 * What can be completed, read from the command tree: so that no script knows a flag that is gone, or misses a new one. One script for each
 * shell is made from it, in the file of that name.
 */
import type { Argument, Command, Option } from 'commander';

export type CompletionCommand = {
  /** With those of the commands it belongs to in front: `kernel events`. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  /** What its words are; the last one repeats. */
  readonly words: readonly CompletionValue[];
  /** One that has words as well takes them where none of these stands: `call`. */
  readonly commands: readonly CompletionCommand[];
};

export type CompletionOption = {
  /** `-t`, if there is a short form. */
  readonly short: string | undefined;
  readonly long: string;
  readonly description: string;
  readonly isRepeatable: boolean;
  /** Undefined for a flag without a value. */
  readonly value: CompletionValue | undefined;
};

export type CompletionValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'directory' }
  | { readonly kind: 'file' }
  /** A run id, from `warren runs --ids`. */
  | { readonly kind: 'run' }
  /** A method of the daemon, from `warren kernel methods --names`. */
  | { readonly kind: 'method' }
  /** A capability, those of packs too, from `warren capability list --names`. */
  | { readonly kind: 'capability' }
  /** A skill, from `warren skill list --names`. */
  | { readonly kind: 'skill' }
  /** A workspace, from `warren workspace list --names`. */
  | { readonly kind: 'workspace' }
  /** An argument of the capability before it, from `warren capability describe NAME --names`. */
  | { readonly kind: 'argument' }
  /** A program and its own arguments. */
  | { readonly kind: 'command' }
  /** Whatever the user means. */
  | { readonly kind: 'text' };

export type CompletionModel = {
  readonly options: readonly CompletionOption[];
  readonly commands: readonly CompletionCommand[];
};

export function readModel(program: Command): CompletionModel {
  const commands = program.commands.map((command) => readCommand(command, ''));
  const names = commands.map(({ name }) => name);
  const help = { path: 'help', name: 'help', summary: 'show help for a command', options: [], commands: [] };
  return {
    options: program.createHelp().visibleOptions(program).map(readOption),
    commands: [...commands, { ...help, words: [{ kind: 'words', words: names }] }],
  };
}

function readCommand(command: Command, prefix: string): CompletionCommand {
  const path = `${prefix}${command.name()}`;
  return {
    path,
    name: command.name(),
    summary: command.summary(),
    options: command.createHelp().visibleOptions(command).map(readOption),
    words: command.registeredArguments.map((argument) => readArgument(argument, path)),
    commands: command.commands.map((inner) => readCommand(inner, `${path} `)),
  };
}

/** All commands there are: each before its own. */
export function flatten(commands: readonly CompletionCommand[]): readonly CompletionCommand[] {
  return commands.flatMap((command) => [command, ...flatten(command.commands)]);
}

function readOption(option: Option): CompletionOption {
  return {
    short: option.short,
    long: option.long ?? '', // Every option here has one; a test says so.
    description: option.description,
    isRepeatable: option.parseArg !== undefined && option.description.includes('repeatable'),
    value: option.required ? readValue(option) : undefined,
  };
}

function readValue(option: Option): CompletionValue {
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  if (option.flags.includes('<directory>') || option.flags.includes('<source:')) return { kind: 'directory' };
  if (option.flags.includes('<file>')) return { kind: 'file' };
  if (option.long === '--workspace') return { kind: 'workspace' };
  return { kind: 'text' };
}

/** The id of a workspace is an argument of most of its commands, and one that is made has none yet. */
const OF_WORKSPACES = /^workspace (?:show|quota|export|delete)$/;

function readArgument(argument: Argument, path: string): CompletionValue {
  if (argument.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  if (argument.name() === 'id' && OF_WORKSPACES.test(path)) return { kind: 'workspace' };
  switch (argument.name()) {
    case 'run':
      return { kind: 'run' };
    case 'paths':
    case 'file':
    case 'path':
    case 'before':
    case 'after':
    case 'source':
      return { kind: 'file' };
    case 'pack':
    case 'folder':
      return { kind: 'directory' };
    case 'method':
      return { kind: 'method' };
    case 'capability':
      return { kind: 'capability' };
    case 'skill':
      return { kind: 'skill' };
    case 'arguments':
      return { kind: 'argument' };
    case 'command':
      return { kind: 'command' };
    default:
      return { kind: 'text' };
  }
}

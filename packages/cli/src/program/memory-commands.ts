/** `warren memory`: what agents remember. */
import { Argument, type Command } from 'commander';
import { parseLongDuration } from '../internal/duration.ts';
import { parseCount } from '../internal/number.ts';
import { type WorkspaceFlags, withJson, withWorkspace } from './state-options.ts';

type FilterFlags = WorkspaceFlags & { readonly tag?: readonly string[]; readonly source?: string };
export type MemoryStoreFlags = FilterFlags & { readonly expires?: number; readonly pin?: true };
export type MemorySearchFlags = FilterFlags & { readonly limit: number; readonly explain?: true };
export type MemoryListFlags = FilterFlags & { readonly limit: number };

export interface MemoryActions {
  memoryStore(text: string, flags: MemoryStoreFlags): Promise<void>;
  memorySearch(words: readonly string[], flags: MemorySearchFlags): Promise<void>;
  memoryList(flags: MemoryListFlags): Promise<void>;
  memoryShow(id: string, flags: WorkspaceFlags): Promise<void>;
  memoryForget(ids: readonly string[], flags: WorkspaceFlags): Promise<void>;
  memoryExport(flags: FilterFlags): Promise<void>;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
const LIMIT = ['--limit <n>', 'how many at most', (text: string) => parseCount(text, '--limit')] as const;

export function addMemory(program: Command, actions: MemoryActions): void {
  const memory = program
    .command('memory')
    .summary('what agents remember')
    .description('What the agents of a workspace remember, for people: to look at, to add to and to forget.')
    .addHelpText('after', MEMORY_HELP);
  const filtered = (command: Command): Command =>
    command
      .option('--tag <tag>', 'what it is about; repeatable', collect)
      .option('--source <name>', 'where it came from: the name of an agent, or what you say');

  withJson(
    withWorkspace(
      filtered(
        memory
          .command('store')
          .summary('remember a text')
          .description('Remembers a text, for all agents of the workspace. The same text is kept once.')
          .argument('<text>', 'what to remember; - reads it from standard input'),
      ),
    ),
  )
    .option('--expires <duration>', 'gone after so long: 12h, 30d (default: never)', (text: string) => parseLongDuration(text, '--expires'))
    .option('--pin', 'kept although its time is over')
    .action((text: string, flags: MemoryStoreFlags) => actions.memoryStore(text, flags));

  withJson(
    withWorkspace(
      filtered(
        memory
          .command('search')
          .summary('find by words and by meaning')
          .description('Finds what was remembered, the best first.')
          .addArgument(new Argument('<words...>', 'words, or a question')),
      ),
    ),
  )
    .option(...LIMIT, 10)
    .option('--explain', 'what each score is made of')
    .action((words: string[], flags: MemorySearchFlags) => actions.memorySearch(words, flags));

  withJson(
    withWorkspace(
      filtered(memory.command('list').summary('list, the newest first').description('Lists what was remembered, the newest first.')),
    ),
  )
    .option(...LIMIT, 20)
    .action((flags: MemoryListFlags) => actions.memoryList(flags));

  withJson(
    withWorkspace(memory.command('show').summary('show one whole').description('Shows one memory whole.').argument('<id>', 'its id')),
  ).action((id: string, flags: WorkspaceFlags) => actions.memoryShow(id, flags));

  withJson(
    withWorkspace(
      memory
        .command('forget')
        .summary('forget for good')
        .description('Forgets for good: the text is overwritten.')
        .argument('<ids...>', 'their ids'),
    ),
  ).action((ids: string[], flags: WorkspaceFlags) => actions.memoryForget(ids, flags));

  withWorkspace(
    filtered(
      memory
        .command('export')
        .summary('write all, one JSON document a line')
        .description('Writes all memories to standard output, one JSON document a line, the newest first.'),
    ),
  ).action((flags: FilterFlags) => actions.memoryExport(flags));
}

const MEMORY_HELP = `
Examples:
  $ warren memory store 'Releases are cut from main on Tuesdays' --tag release
  $ warren memory search when are releases cut --explain
  $ warren memory export --workspace acme > acme.jsonl
  $ warren memory forget mem_…`;

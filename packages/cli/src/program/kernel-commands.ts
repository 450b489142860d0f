/** `warren kernel`: what the kernel knows, to look at. */
import { type Command, Option } from 'commander';
import { parseCount, parseNatural } from '../internal/number.ts';
import { type WorkspaceFlags, withJson, withServer, withWorkspace } from './state-options.ts';

export const PROCESS_STATES = ['READY', 'RUNNING', 'WAITING', 'SUSPENDED', 'DEAD'] as const;
export const QUEUE_STATES = ['queued', 'dispatched', 'completed', 'expired', 'cancelled', 'dead'] as const;
export const TIERS = ['stable', 'experimental', 'deprecated'] as const;

/** What to look at. `flags.state` is the state directory everywhere; `inState` is the state of a process or a queue entry. */
export type KernelView =
  | { readonly kind: 'summary'; readonly flags: WorkspaceFlags }
  | { readonly kind: 'info'; readonly flags: WorkspaceFlags }
  | { readonly kind: 'agents'; readonly flags: AgentsFlags }
  | { readonly kind: 'proc'; readonly pid: number; readonly flags: WorkspaceFlags }
  | { readonly kind: 'events'; readonly flags: EventsFlags }
  | { readonly kind: 'queue'; readonly flags: QueueFlags }
  | { readonly kind: 'registry'; readonly flags: RegistryFlags }
  | { readonly kind: 'methods'; readonly flags: MethodsFlags }
  | { readonly kind: 'method'; readonly name: string; readonly flags: MethodFlags }
  | { readonly kind: 'method_names' }
  | { readonly kind: 'prometheus'; readonly flags: WorkspaceFlags };

type Followed = { readonly follow?: true };
export type AgentsFlags = WorkspaceFlags & Followed & { readonly inState?: (typeof PROCESS_STATES)[number]; readonly limit: number };
export type EventsFlags = WorkspaceFlags &
  Followed & { readonly pid?: number; readonly kind?: string; readonly since?: number; readonly limit: number };
export type QueueFlags = WorkspaceFlags &
  Followed & { readonly inState?: (typeof QUEUE_STATES)[number]; readonly pid?: number; readonly limit: number };
export type RegistryFlags = WorkspaceFlags & { readonly prefix?: string; readonly tag?: string; readonly limit: number };
export type MethodsFlags = WorkspaceFlags & { readonly tier?: (typeof TIERS)[number]; readonly names?: true };
export type MethodFlags = { readonly json?: true };

export interface KernelActions {
  kernel(view: KernelView): Promise<void>;
}

export function addKernel(program: Command, actions: KernelActions): void {
  const kernel = program
    .command('kernel')
    .summary('look at processes, events, queues and names')
    .description('Shows what the kernel knows. Asks the daemon; without one it reads the store itself, and changes nothing.')
    .addHelpText('after', KERNEL_HELP);

  plain(kernel, 'summary', 'how much there is of everything').action((flags: WorkspaceFlags) => actions.kernel({ kind: 'summary', flags }));
  plain(kernel, 'info', 'versions, and how many methods programs can call').action((flags: WorkspaceFlags) =>
    actions.kernel({ kind: 'info', flags }),
  );
  addAgents(kernel, actions);
  plain(kernel, 'proc', 'everything about one process')
    .argument('<pid>', 'its number', (text: string) => parseCount(text, '<pid>'))
    .action((pid: number, flags: WorkspaceFlags) => actions.kernel({ kind: 'proc', pid, flags }));
  addEvents(kernel, actions);
  addQueue(kernel, actions);
  addRegistry(kernel, actions);
  addMethods(kernel, actions);
  withWorkspace(described(kernel, 'prometheus', 'metrics, as Prometheus reads them')).action((flags: WorkspaceFlags) =>
    actions.kernel({ kind: 'prometheus', flags }),
  );
}

function addAgents(kernel: Command, actions: KernelActions): void {
  withFilter(described(kernel, 'agents', 'processes'), PROCESS_STATES)
    .addOption(limit(100))
    .option('-f, --follow', 'go on with what changes, until Ctrl-C')
    .action((flags: Filtered<AgentsFlags>) => actions.kernel({ kind: 'agents', flags: unfilter(flags) }));
}

function addEvents(kernel: Command, actions: KernelActions): void {
  plain(kernel, 'events', 'what happened, the newest last')
    .option('--pid <pid>', 'only of this process', (text: string) => parseCount(text, '--pid'))
    .option('--kind <kind>', 'only of this kind')
    .option('--since <id>', 'after this event, the oldest first (default: the newest there are)', (text: string) =>
      parseNatural(text, '--since'),
    )
    .addOption(limit(50))
    .option('-f, --follow', 'go on with what happens, until Ctrl-C')
    .action((flags: EventsFlags) => actions.kernel({ kind: 'events', flags }));
}

function addQueue(kernel: Command, actions: KernelActions): void {
  withFilter(described(kernel, 'queue', 'scheduled work'), QUEUE_STATES)
    .option('--pid <pid>', 'only of this process', (text: string) => parseCount(text, '--pid'))
    .addOption(limit(100))
    .option('-f, --follow', 'go on with what changes, until Ctrl-C')
    .action((flags: Filtered<QueueFlags>) => actions.kernel({ kind: 'queue', flags: unfilter(flags) }));
}

function addRegistry(kernel: Command, actions: KernelActions): void {
  plain(kernel, 'registry', 'names and who has them')
    .option('--prefix <text>', 'only names that begin so')
    .option('--tag <tag>', 'only names with this tag')
    .addOption(limit(100))
    .action((flags: RegistryFlags) => actions.kernel({ kind: 'registry', flags }));
}

function addMethods(kernel: Command, actions: KernelActions): void {
  plain(kernel, 'methods', 'the methods programs can call, or all about one of them')
    .argument('[method]', 'its name: what it does, who may call it, what it takes and answers')
    .addOption(new Option('--tier <tier>', 'only those of this stability').choices(TIERS))
    .addOption(new Option('--names', 'only names, one a line (for completion)').hideHelp())
    .action((name: string | undefined, flags: MethodsFlags) => {
      if (name !== undefined) return actions.kernel({ kind: 'method', name, flags });
      return actions.kernel(flags.names === true ? { kind: 'method_names' } : { kind: 'methods', flags });
    });
}

function described(kernel: Command, name: string, summary: string): Command {
  return kernel.command(name).summary(summary).description(`Shows ${summary}.`);
}

/** `--state-dir` is for scripts that give all of these the same options. */
function plain(kernel: Command, name: string, summary: string): Command {
  const command = withJson(withWorkspace(described(kernel, name, summary)));
  return command.addOption(new Option('--state-dir <directory>').hideHelp()).hook('preAction', () => {
    const { stateDir } = command.opts<{ readonly stateDir?: string }>();
    if (stateDir !== undefined) command.setOptionValue('state', stateDir);
  });
}

/** Here `--state` filters, as it always has; the directory is `--state-dir`. */
type Filtered<Flags extends { readonly inState?: string }> = Omit<Flags, 'state' | 'inState'> & {
  readonly state?: NonNullable<Flags['inState']>;
  readonly stateDir?: string;
};

function withFilter(command: Command, states: readonly string[]): Command {
  return withJson(
    withServer(command)
      .addOption(new Option('--state <state>', 'only those in this state').choices(states))
      .option('--state-dir <directory>', 'state directory (default: as WARREN_STATE says)')
      .option('--workspace <name>', 'which workspace', 'default'),
  );
}

function unfilter<Flags extends WorkspaceFlags & { readonly inState?: string }>({ state, stateDir, ...rest }: Filtered<Flags>): Flags {
  const flags = { ...rest, ...(state !== undefined && { inState: state }), ...(stateDir !== undefined && { state: stateDir }) };
  return flags as unknown as Flags; // The same again under the names of `KernelView`.
}

function limit(otherwise: number): Option {
  return new Option('--limit <number>', 'at most so many').argParser((text) => parseCount(text, '--limit')).default(otherwise);
}

const KERNEL_HELP = `
Examples:
  $ warren kernel summary
  $ warren kernel agents --state RUNNING
  $ warren kernel proc 7
  $ warren kernel events --follow --pid 7
  $ warren kernel methods kernel.agent.create
  $ warren kernel queue --state dead --json | jq '.entries[].error'

Exit codes:
  0      shown
  1      there is neither a daemon nor a store, or no such process, workspace or method
  2      wrong usage
  3      the store cannot be read
  130    --follow was ended with Ctrl-C`;

/**
 * The commands and flags of `warren`: what there is, not what it does. Actions are handed in, so that parsing, help and completion can be
 * read and tested without running anything, and so that a start loads only the code of the command it was asked for.
 */
import type { HostMount, ProfileName } from '@warren/sandbox';
import { Command, Option } from 'commander';
import { parseDuration } from './internal/duration.ts';
import { parseMount } from './internal/mount.ts';
import { parseCount, parseShare } from './internal/number.ts';
import type { RunSecret } from './internal/run-network.ts';
import { parseRunSecret } from './internal/run-secret.ts';
import { parseSize } from './internal/size.ts';
import { type AgentActions, addAgent, addCall } from './program/agent-commands.ts';
import { type ApprovalActions, addApprovals } from './program/approval-commands.ts';
import { type AuditActions, addAudit } from './program/audit-commands.ts';
import { addCapability, type CapabilityActions } from './program/capability-commands.ts';
import { addServe, addService, addStatus, addStop, type DaemonActions } from './program/daemon-commands.ts';
import { addHook, type HookActions } from './program/hook-commands.ts';
import { addKernel, type KernelActions } from './program/kernel-commands.ts';
import { addLogin, addLogout, addWhoami, type LoginActions } from './program/login-commands.ts';
import { addMcp, type McpActions } from './program/mcp-commands.ts';
import { addMcpServer, type McpServerActions } from './program/mcp-server-commands.ts';
import { addMemory, type MemoryActions } from './program/memory-commands.ts';
import { addPerson, type PersonActions } from './program/person-commands.ts';
import { addPolicy, type PolicyActions } from './program/policy-commands.ts';
import { addSecret, addVault, type SecretActions } from './program/secret-commands.ts';
import { addSession, type SessionActions } from './program/session-commands.ts';
import { addSkill, type SkillActions } from './program/skill-commands.ts';
import { type StateFlags, withJson } from './program/state-options.ts';
import { addBackup, addRestore, type StoreActions } from './program/store-commands.ts';
import { addToken, type TokenActions } from './program/token-commands.ts';
import { addWorkspace, type WorkspaceActions } from './program/workspace-commands.ts';
import { VERSION } from './version.ts';

export const PROFILES = ['permissive', 'moderate', 'restrictive'] as const;
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export type RunFlags = {
  readonly profile?: ProfileName;
  readonly dir?: string;
  readonly rw?: true;
  readonly mount?: readonly HostMount[];
  /** False after `--no-network`. */
  readonly network?: string | false;
  readonly allow?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly inspect?: true;
  readonly secret?: readonly RunSecret[];
  readonly ca?: string;
  readonly workspace?: string;
  readonly state?: string;
  /** `none` takes the profile's limit off. Not null: that is what commander calls a flag without a value. */
  readonly memory?: number | 'none';
  readonly cpus?: number | 'none';
  readonly pids?: number | 'none';
  readonly disk?: number | 'none';
  readonly fileSize?: number | 'none';
  readonly openFiles?: number | 'none';
  readonly timeout?: number | 'none';
  readonly outputLimit?: number;
  /** `K=V`, or `K` for the caller's value. */
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly tty?: true;
  readonly keep?: true;
  readonly json?: true;
  readonly quiet?: true;
};

export type DiffFlags = {
  readonly stat?: true;
  readonly nameOnly?: true;
  readonly json?: true;
  readonly color: 'auto' | 'always' | 'never';
};
export type ApplyFlags = { readonly force?: true; readonly dryRun?: true; readonly json?: true };
export type UndoFlags = { readonly force?: true; readonly json?: true };
export type RunsFlags = { readonly all?: true; readonly dir?: string; readonly json?: true; readonly ids?: true };
export type RemoveFlags = { readonly all?: true; readonly force?: true; readonly json?: true };
export type DoctorFlags = StateFlags & { readonly store?: true };

/** What each command does. A handler that fails throws; one that ends otherwise than well has said so itself. */
export interface Actions
  extends AgentActions,
    ApprovalActions,
    AuditActions,
    CapabilityActions,
    DaemonActions,
    HookActions,
    KernelActions,
    LoginActions,
    McpActions,
    McpServerActions,
    MemoryActions,
    PersonActions,
    PolicyActions,
    SessionActions,
    SecretActions,
    SkillActions,
    StoreActions,
    TokenActions,
    WorkspaceActions {
  run(command: readonly string[], flags: RunFlags): Promise<void>;
  diff(run: string | undefined, paths: readonly string[], flags: DiffFlags): Promise<void>;
  apply(run: string | undefined, paths: readonly string[], flags: ApplyFlags): Promise<void>;
  undo(run: string | undefined, flags: UndoFlags): Promise<void>;
  runs(flags: RunsFlags): Promise<void>;
  remove(runs: readonly string[], flags: RemoveFlags): Promise<void>;
  doctor(flags: DoctorFlags): Promise<void>;
  completion(shell: Shell): Promise<void>;
}

/** Adds a command to the program. */
type Add = (program: Command, actions: Actions) => void;

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, Add>> = {
  run: addRun,
  diff: addDiff,
  apply: addApply,
  undo: addUndo,
  runs: addRuns,
  rm: addRemove,
  serve: addServe,
  status: addStatus,
  stop: addStop,
  service: addService,
  login: addLogin,
  logout: addLogout,
  whoami: addWhoami,
  agent: addAgent,
  call: addCall,
  mcp: addMcp,
  'mcp-server': addMcpServer,
  approvals: addApprovals,
  policy: addPolicy,
  capability: addCapability,
  hook: addHook,
  memory: addMemory,
  session: addSession,
  skill: addSkill,
  secret: addSecret,
  vault: addVault,
  audit: addAudit,
  kernel: addKernel,
  workspace: addWorkspace,
  person: addPerson,
  token: addToken,
  backup: addBackup,
  restore: addRestore,
  doctor: addDoctor,
  completion: addCompletion,
};

/**
 * Parsing throws commander's own error (help and version too, with exit code 0) and faults for values that cannot be used. With the name of
 * a command in `only` the others are left out, which saves a start two milliseconds.
 */
export function buildProgram(actions: Actions, writeHelp: (text: string) => void, only?: string): Command {
  const program = new Command('warren')
    .description(
      'Runs commands behind walls that the kernel enforces, and lets you review what they did. Its daemon keeps the processes, events, mail and files of agents.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help for a command')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: writeHelp, writeErr: writeHelp, outputError: () => {} }) // What is wrong is in the error that is thrown.
    .addHelpText('after', HELP);
  const one = only === undefined || !Object.hasOwn(COMMANDS, only) ? undefined : COMMANDS[only];
  for (const add of one === undefined ? Object.values(COMMANDS) : [one]) add(program, actions);
  return program;
}

function addRun(program: Command, actions: Actions): void {
  const run = program
    .command('run')
    .summary('run a command in a new sandbox')
    .description('Runs a command in a new sandbox. Input, output and exit code are its own; the sandbox is destroyed when it ends.')
    .usage('[options] [--] <command> [arguments...]')
    .argument('<command...>', 'the program and its arguments; never joined into a shell line')
    .passThroughOptions(); // What follows the program belongs to it.

  run.optionsGroup('Files:');
  run
    .option('--dir <directory>', 'show this directory at /workspace; changes are kept aside until `warren apply`')
    .option('--rw', 'with --dir: changes reach the directory at once')
    .option('--mount <source:target[:rw]>', 'show another directory, read-only unless :rw; repeatable', collect(parseMount))
    .option('--keep', 'keep the record of the run even if nothing changed')
    .option('--workdir <path>', 'start here in the sandbox (default: /workspace with --dir, else the home directory)');

  run.optionsGroup('Walls and limits (SIZE: 512m, 2g; DURATION: 1500ms, 30s, 5m; `none` takes off the limit of the profile):');
  run
    .addOption(new Option('--profile <name>', 'how strict the walls are (default: moderate); permissive implies --dir .').choices(PROFILES))
    .option('--no-network', 'only loopback; this is so anyway, unless hosts are allowed')
    .option(
      '--allow-host <host[:port]>',
      'reach this host (*.h, **.h: those below it) by a proxy; default ports 80 and 443; repeatable',
      collect(String),
    )
    .addOption(new Option('--network <what>', 'loopback, unless hosts are allowed').hideHelp())
    .addOption(new Option('--allow <host>', 'short for --allow-host').argParser(collect(String)).hideHelp())
    .option('--memory <size>', 'memory of everything together', limit(parseSize, '--memory'))
    .option('--cpus <number>', 'processor time: 0.5 is half a core', limit(parseShare, '--cpus'))
    .option('--pids <number>', 'processes and threads at once', limit(parseCount, '--pids'))
    .option('--disk <size>', 'how much the changes in /workspace may hold', limit(parseSize, '--disk'))
    .option('--file-size <size>', 'largest single file', limit(parseSize, '--file-size'))
    .option('--open-files <number>', 'open files of one process', limit(parseCount, '--open-files'))
    .option('--timeout <duration>', 'end the command after this time', limit(parseDuration, '--timeout'))
    .option('--output-limit <size>', 'end the command when it has printed more than this', (text: string) =>
      parseSize(text, '--output-limit'),
    );

  run.optionsGroup('Hosts that are allowed:');
  run
    .option('--inspect', 'open TLS, so that each request is seen; what was asked for is said at the end')
    .option(
      '--secret <[variable=]name[:place]>',
      'a placeholder of this secret of the vault; the daemon puts the value into requests to its hosts (place: header, query, body); repeatable',
      collect(parseRunSecret),
    )
    .option('--ca <file>', 'with --inspect: authorities (PEM) that hosts may have certificates of, besides those that everybody trusts')
    .option('--workspace <name>', 'with --secret: of which workspace')
    .option('--state <directory>', 'with --secret: of which daemon (default: as WARREN_STATE says)');

  run.optionsGroup('Options:');
  run
    .option('-e, --env <name[=value]>', 'set a variable; without a value: the one it has here; repeatable', collect(String))
    .option('-t, --tty', 'give the command a terminal of its own (shells, editors, progress bars)')
    .option('--json', 'one JSON document at the end, with output and exit, in place of the output itself')
    .option('-q, --quiet', 'say nothing about changes and limits')
    .addHelpText('after', RUN_HELP)
    .action((command: string[], flags: RunFlags) => actions.run(command, flags));
}

function addDiff(program: Command, actions: Actions): void {
  program
    .command('diff')
    .summary('show what a run changed')
    .description('Shows what a run changed in its directory. Without [run]: the latest run of this directory that kept its changes.')
    .argument('[run]', 'a run id, or the beginning of one')
    .argument('[paths...]', 'only these files and directories')
    .option('--stat', 'how much changed in each file')
    .option('--name-only', 'only the names')
    .option('--json', 'one JSON document')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .action((run: string | undefined, paths: string[], flags: DiffFlags) => actions.diff(run, paths, flags));
}

function addApply(program: Command, actions: Actions): void {
  program
    .command('apply')
    .summary('bring what a run changed into the real directory')
    .description(
      'Brings what a run changed into the real directory. If something changed there since, nothing is touched; --force overwrites it, and undo brings it back.',
    )
    .argument('[run]', 'a run id, or the beginning of one')
    .argument('[paths...]', 'only these files and directories')
    .option('--force', 'overwrite files that changed since')
    .option('--dry-run', 'say what would happen and do nothing')
    .option('--json', 'one JSON document')
    .action((run: string | undefined, paths: string[], flags: ApplyFlags) => actions.apply(run, paths, flags));
}

function addUndo(program: Command, actions: Actions): void {
  program
    .command('undo')
    .summary('take back an apply')
    .description('Takes back what `warren apply` did: the files are again as they were before.')
    .argument('[run]', 'a run id, or the beginning of one')
    .option('--force', 'also where files changed after the apply')
    .option('--json', 'one JSON document')
    .action((run: string | undefined, flags: UndoFlags) => actions.undo(run, flags));
}

function addRuns(program: Command, actions: Actions): void {
  program
    .command('runs')
    .summary('list runs')
    .description('Lists runs, the newest first.')
    .option('--all', 'all of them, not only the latest 20')
    .option('--dir <directory>', 'only runs of this directory')
    .option('--json', 'one JSON document')
    .addOption(new Option('--ids', 'only ids, one a line (for completion)').hideHelp())
    .action((flags: RunsFlags) => actions.runs(flags));
}

function addRemove(program: Command, actions: Actions): void {
  program
    .command('rm')
    .summary('forget runs and what they changed')
    .description('Deletes the records of runs and the changes they kept. What was applied stays applied, but can no longer be undone.')
    .argument('[run...]', 'run ids, or the beginnings of them')
    .option('--all', 'every run that has ended')
    .option('--force', 'also runs with changes that were not applied')
    .option('--json', 'one JSON document')
    .action((runs: string[], flags: RemoveFlags) => actions.remove(runs, flags));
}

function addDoctor(program: Command, actions: Actions): void {
  const doctor = program
    .command('doctor')
    .summary('check every wall on this machine and the policies, or the store')
    .description(
      'Checks every wall on this machine and the policies of its state directory, and says what to do about walls that cannot be built and files with mistakes. Exits 1 when a wall is missing or the policies cannot be used.',
    )
    .option('--store', 'check the store instead: every page, and who may read it')
    .option('--state <directory>', 'state directory with the policies, or the store (default: as WARREN_STATE says)');
  withJson(doctor).action((flags: DoctorFlags) => actions.doctor(flags));
}

function addCompletion(program: Command, actions: Actions): void {
  const completion = program
    .command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a completion script for your shell.')
    .addHelpText('after', COMPLETION_HELP);
  completion
    .addArgument(completion.createArgument('<shell>', 'your shell').choices(SHELLS))
    .action((shell: Shell) => actions.completion(shell));
}

/** For a flag that may be repeated. */
function collect<T>(parse: (text: string) => T): (text: string, earlier: readonly T[] | undefined) => readonly T[] {
  return (text, earlier = []) => [...earlier, parse(text)];
}

function limit(parse: (text: string, name: string) => number, name: string): (text: string) => number | 'none' {
  return (text) => (text === 'none' ? text : parse(text, name));
}

const HELP = `
Examples:
  $ warren run -- python3 -c 'print(1+1)'      run something without it seeing your files
  $ warren run --dir . -- npm test             work on a copy-on-write view of this directory
  $ warren diff                                review what it changed
  $ warren apply                               take the changes over, or: warren rm
  $ warren undo                                and back again
  $ warren serve --detach                      run the daemon, for agents and programs
  $ warren kernel summary                      what it knows

Exit codes:
  0      done
  1      failed; what and why stands on standard error
  2      wrong usage
  3      the store of the daemon cannot be opened
  run    ends as its command ends: see \`warren run --help\`

Environment:
  WARREN_STATE   directory of records and changes (default: /var/lib/warren for root, else ~/.local/state/warren)
  WARREN_SERVER  a daemon elsewhere, as --server
  WARREN_DEBUG   1 adds stack traces to errors
  NO_COLOR       no colours, whatever its value
  FORCE_COLOR    colours even when the output is no terminal`;

const RUN_HELP = `
Examples:
  $ warren run -- node -e 'console.log(1+1)'
  $ warren run --dir . --memory 2g --timeout 10m -- npm test
  $ warren run --dir . -t -- bash
  $ echo hello | warren run -- tr a-z A-Z
  $ warren run --json -- make | jq .exit
  $ warren run --allow-host api.github.com --secret GITHUB_TOKEN -- sh -c 'curl -sH "Authorization: Bearer $GITHUB_TOKEN" https://api.github.com/user'

Exit codes:
  0-255  the command's own
  124    stopped by --timeout
  125    Warren itself failed (wrong usage too): nothing ran, or its end is unknown
  126    the program is not executable
  127    there is no such program in the sandbox
  128+n  ended by signal n: 130 Ctrl-C, 137 stopped by the memory, disk or output limit (or SIGKILL),
         141 nobody reads the output, 143 SIGTERM, 152 processor time, 153 file size

Signals:
  Ctrl-C is passed to the command; a second one within two seconds kills everything in the sandbox. SIGTERM and SIGHUP are
  passed on and kill after two seconds. With --tty, keys go to the command's own terminal.`;

const COMPLETION_HELP = `
  bash   source <(warren completion bash)              in ~/.bashrc
  zsh    source <(warren completion zsh)               in ~/.zshrc, after compinit
  fish   warren completion fish | source               in ~/.config/fish/config.fish`;

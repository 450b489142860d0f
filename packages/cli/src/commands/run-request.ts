/** From flags to what is asked of the sandbox: everything that can be refused before anything starts. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { type HostMount, type Limits, PROFILES, type ProfileName } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import type { RunFlags } from '../program.ts';

export type RunRequest = {
  readonly argv: readonly string[];
  readonly profile: ProfileName;
  readonly limits: Limits;
  /** Empty: loopback only. */
  readonly hosts: readonly string[];
  readonly mounts: readonly HostMount[];
  /** Absolute and without symbolic links. */
  readonly workspace: { readonly kind: 'none' } | { readonly kind: 'overlay' | 'writable'; readonly directory: string };
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly outputBytesMax: number | undefined;
};

/** What a `--json` run collects unless told otherwise: as much as the library's own `run`. */
const COLLECTED_BYTES_MAX = 16 * 2 ** 20;
/** The sandbox outlives its command by this much, so that it is the command's deadline that speaks. */
const TEARDOWN_MS = 10_000;
const ARGUMENTS_MAX = 32_768; // As in the guest protocol.

export function resolveRun(argv: readonly string[], flags: RunFlags, host: Host): RunRequest {
  checkCommand(argv);
  checkNetwork(flags);
  checkCombination(flags);
  const profile = flags.profile ?? 'moderate';
  return {
    argv,
    profile,
    limits: limitsOf(flags),
    hosts: flags.allowHost ?? [],
    mounts: (flags.mount ?? []).map((mount) => ({ ...mount, source: existing(resolve(host.cwd(), mount.source), '--mount') })),
    workspace: workspaceOf(flags, profile, host),
    env: environmentOf(flags, host),
    workdir: workdirOf(flags),
    timeoutMs: flags.timeout === 'none' ? undefined : flags.timeout,
    outputBytesMax: flags.outputLimit ?? (flags.json === true ? COLLECTED_BYTES_MAX : undefined),
  };
}

function checkCommand(argv: readonly string[]): void {
  if (argv[0] === undefined || argv[0] === '') throw refusal('Cannot run a command without a name', { argument: 0 });
  if (argv.length > ARGUMENTS_MAX) {
    throw new Fault('too_large', `Cannot run a command of ${argv.length} words: the limit is ${ARGUMENTS_MAX}`, {
      details: { argumentsMax: ARGUMENTS_MAX },
    });
  }
  const at = argv.findIndex((argument) => argument.includes('\0'));
  if (at >= 0) throw refusal(`Cannot run "${argv[0]}": its argument ${at} holds a NUL character`, { argument: at });
}

function checkNetwork(flags: RunFlags): void {
  const asked =
    flags.allow?.[0] ?? (typeof flags.network === 'string' && !['loopback', 'none'].includes(flags.network) ? flags.network : undefined);
  if (asked !== undefined) {
    const option = flags.allow === undefined ? '--network' : '--allow';
    throw new Fault('unsupported', `Cannot give the sandbox the network "${asked}": there is loopback, and hosts by --allow-host`, {
      details: { option, fix: '--allow-host HOST[:PORT]' },
    });
  }
  if (flags.network === false && flags.allowHost !== undefined)
    throw refusal('Cannot use --allow-host with --no-network: a host is reached over a network', { option: '--allow-host' });
}

function checkCombination(flags: RunFlags): void {
  const needDirectory = { '--rw': flags.rw === true, '--keep': flags.keep === true, '--disk': typeof flags.disk === 'number' };
  for (const [option, isGiven] of Object.entries(needDirectory)) {
    if (isGiven && flags.dir === undefined)
      throw refusal(`Cannot use ${option} without --dir: there is no directory to work on`, { option });
    if (isGiven && flags.rw === true && option !== '--rw')
      throw refusal(`Cannot use ${option} with --rw: changes are not kept aside`, { option });
  }
  if (flags.tty === true && flags.json === true)
    throw refusal('Cannot use --json with --tty: the terminal is not collected', { option: '--json' });
}

function limitsOf(flags: RunFlags): Limits {
  const given = {
    memoryBytes: flags.memory,
    cpus: flags.cpus,
    pids: flags.pids,
    fileBytes: flags.fileSize,
    openFiles: flags.openFiles,
    diskBytes: flags.disk,
    wallMs: typeof flags.timeout === 'number' ? flags.timeout + TEARDOWN_MS : flags.timeout,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([name, value]) => [name, value === 'none' ? null : value]));
}

function workspaceOf(flags: RunFlags, profile: ProfileName, host: Host): RunRequest['workspace'] {
  if (flags.dir === undefined)
    return PROFILES[profile].mountsWorkingDirectory ? { kind: 'overlay', directory: host.cwd() } : { kind: 'none' };
  const directory = existing(resolve(host.cwd(), flags.dir), '--dir');
  if (!statSync(directory).isDirectory())
    throw refusal(`Cannot use "${flags.dir}" for --dir: it is not a directory`, { option: '--dir', path: directory });
  return { kind: flags.rw === true ? 'writable' : 'overlay', directory };
}

/** The real path, so that a run is found again from wherever its directory was entered. */
function existing(path: string, option: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // The file system throws nothing else.
    const why = code === 'ENOENT' ? 'it does not exist' : `${code}`;
    throw new Fault(code === 'EACCES' ? 'permission_denied' : 'not_found', `Cannot use "${path}" for ${option}: ${why}`, {
      details: { option, path },
      cause,
    });
  }
}

function environmentOf(flags: RunFlags, host: Host): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  const terminal = host.env['TERM'];
  if (flags.tty === true) env['TERM'] = terminal === undefined || terminal === '' ? 'xterm' : terminal;
  for (const entry of flags.env ?? []) {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(entry) ?? [];
    if (name === '') throw refusal(`Cannot use "${entry}" for --env: it is NAME=VALUE or NAME`, { option: '--env' });
    const given = value ?? host.env[name];
    if (given === undefined)
      throw refusal(`Cannot pass the variable "${name}": it is not set here`, { option: '--env', name, fix: `--env ${name}=…` });
    env[name] = given;
  }
  return env;
}

function workdirOf(flags: RunFlags): string | undefined {
  if (flags.workdir === '') throw refusal('Cannot use "" for --workdir: it is a path in the sandbox', { option: '--workdir' });
  if (flags.workdir === undefined || flags.workdir.startsWith('/')) return flags.workdir;
  if (flags.dir === undefined)
    throw refusal(`Cannot use "${flags.workdir}" for --workdir: without --dir it must be an absolute path`, { option: '--workdir' });
  return resolve('/workspace', flags.workdir);
}

function refusal(message: string, details: Readonly<Record<string, unknown>>): Fault {
  return new Fault('invalid_argument', message, { details });
}

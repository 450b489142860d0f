/** From flags to what is asked of the sandbox: everything that can be refused before anything starts. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { type HostMount, type Limits, PROFILES, type ProfileName } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import type { RunSecret } from '../internal/run-network.ts';
import type { RunFlags } from '../program.ts';

export type RunRequest = {
  readonly argv: readonly string[];
  readonly profile: ProfileName;
  readonly limits: Limits;
  /** Empty: loopback only. */
  readonly hosts: readonly string[];
  /** Whether the proxy opens TLS. */
  readonly isInspected: boolean;
  /** Some: the proxy is that of the daemon. */
  readonly secrets: readonly RunSecret[];
  readonly caFile: string | undefined;
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
  const hosts = [...(flags.allowHost ?? []), ...(flags.allow ?? [])];
  checkInspection(flags, hosts);
  const env = environmentOf(flags, host);
  checkSecrets(flags, env);
  const profile = flags.profile ?? 'moderate';
  return {
    argv,
    profile,
    limits: limitsOf(flags),
    hosts,
    isInspected: flags.inspect === true,
    secrets: flags.secret ?? [],
    caFile: flags.ca === undefined ? undefined : resolve(host.cwd(), flags.ca),
    mounts: (flags.mount ?? []).map((mount) => ({ ...mount, source: existing(resolve(host.cwd(), mount.source), '--mount') })),
    workspace: workspaceOf(flags, profile, host),
    env,
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
  if (typeof flags.network === 'string' && !['loopback', 'none'].includes(flags.network)) {
    throw new Fault('unsupported', `Cannot give the sandbox the network "${flags.network}": there is loopback, and hosts by --allow-host`, {
      details: { option: '--network', fix: '--allow-host HOST[:PORT]' },
    });
  }
  const option = flags.allowHost !== undefined ? '--allow-host' : '--allow';
  if (flags.network === false && (flags.allowHost ?? flags.allow) !== undefined)
    throw refusal(`Cannot use ${option} with --no-network: a host is reached over a network`, { option });
}

function checkInspection(flags: RunFlags, hosts: readonly string[]): void {
  const given = { '--inspect': flags.inspect === true, '--secret': flags.secret !== undefined, '--ca': flags.ca !== undefined };
  for (const [option, isGiven] of Object.entries(given)) {
    if (isGiven && hosts.length === 0)
      throw refusal(`Cannot use ${option} without --allow-host: there is no host to reach`, { option, fix: '--allow-host HOST[:PORT]' });
  }
  if (flags.ca !== undefined && flags.secret !== undefined) {
    const fix = 'egress.ca_file in config.yaml of the daemon';
    throw refusal('Cannot use --ca with --secret: the daemon sends these requests, and trusts what it was told to', {
      option: '--ca',
      fix,
    });
  }
  if (flags.ca !== undefined && flags.inspect !== true)
    throw refusal('Cannot use --ca without --inspect: in a tunnel the command itself checks certificates', {
      option: '--ca',
      fix: '--inspect',
    });
  for (const [option, value] of Object.entries({ '--workspace': flags.workspace, '--state': flags.state })) {
    if (value !== undefined && flags.secret === undefined)
      throw refusal(`Cannot use ${option} without --secret: a run has nothing of a workspace but its secrets`, { option });
  }
}

function checkSecrets({ secret = [] }: RunFlags, env: Readonly<Record<string, string>>): void {
  const taken = new Set(Object.keys(env));
  for (const { name, variable } of secret) {
    if (taken.has(variable)) {
      const fix = `--secret OTHER_VARIABLE=${name}`;
      throw refusal(`Cannot put a placeholder of "${name}" into the variable ${variable}: something else is to stand there`, {
        option: '--secret',
        fix,
      });
    }
    taken.add(variable);
  }
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

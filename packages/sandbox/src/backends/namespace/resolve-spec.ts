/**
 * From what a caller asks for to exactly what is built: profile, defaults and checks, in one place. Nothing later looks at the caller's spec again.
 * A limit the host cannot enforce is refused when it was asked for by name; a profile's own is left out then, and the capability report says so.
 */
import { realpathSync, statSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import type { Capabilities, HostMount, Limits, ProfileName, ResolvedSpec, SandboxSpec, WorkspaceMount } from '../../contract.ts';
import { PROFILES, type Profile } from './profiles.ts';

const LIMIT_MAX: { readonly [Key in keyof Required<Limits>]: number } = {
  memoryBytes: 2 ** 46,
  cpus: 4_096,
  pids: 4_194_304,
  fileBytes: 2 ** 53 - 1,
  openFiles: 1_048_576,
  diskBytes: 2 ** 53 - 1,
  scratchBytes: 2 ** 46,
  wallMs: 2 ** 31 - 1,
};
const LIMIT_MIN: { readonly [Key in keyof Required<Limits>]: number } = {
  memoryBytes: 1_048_576,
  cpus: 0.01,
  pids: 2,
  fileBytes: 1,
  openFiles: 8,
  diskBytes: 1,
  scratchBytes: 65_536,
  wallMs: 1,
};
const WORKSPACE = '/workspace';
const ENVIRONMENT_MAX = 512;
const MOUNTS_MAX = 64;
/** The launcher takes no more; the kernel takes 4,095. */
const PATH_BYTES_MAX = 3_900;
/** Where a mount of the caller would hide or open what the walls stand on. */
const RESERVED_TARGETS = [
  '/',
  '/proc',
  '/dev',
  '/sys',
  '/etc',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/.empty',
  '/.old',
  '/.lower',
  '/.layer',
  '/.overlay',
];

export type Resolution = { readonly spec: ResolvedSpec; readonly profile: Profile };

/** Throws `invalid_argument` (naming the field), `not_found`, `permission_denied` and `limit_unavailable`. */
export function resolveSpec(given: SandboxSpec, capabilities: Capabilities, environment: NodeJS.ProcessEnv): Resolution {
  checkFields(given, ['profile', 'limits', 'workspace', 'mounts', 'env', 'hostname', 'network'], 'the spec');
  const profileName = given.profile ?? 'moderate';
  if (typeof profileName !== 'string' || !Object.hasOwn(PROFILES, profileName))
    throw refuse(`profile is ${shown(profileName)}, it must be permissive, moderate or restrictive`);
  const profile = PROFILES[profileName];
  const workspace = resolveWorkspace(given.workspace);
  return {
    profile,
    spec: {
      profile: profileName as ProfileName, // Just checked.
      limits: resolveLimits(given.limits ?? {}, profile, capabilities),
      workspace,
      mounts: resolveMounts(given.mounts ?? [], workspace),
      env: { ...passedEnvironment(profile, environment), ...checkEnvironment(given.env ?? {}) },
      hostname: checkHostname(given.hostname ?? 'warren'),
      network: resolveNetwork(given.network, profile),
      seccomp: profile.seccomp,
    },
  };
}

function resolveNetwork(given: SandboxSpec['network'], profile: Profile): ResolvedSpec['network'] {
  if (given === undefined || given === 'loopback') return 'loopback';
  if (typeof given !== 'object' || !(given?.kind === 'egress' || given?.kind === 'relayed'))
    throw new Fault('unsupported', `Cannot start a sandbox with the network ${shown(given)}: there is "loopback", and egress by rules`);
  if (profile.seccomp === 'restrictive') throw refuse(`network is ${given.kind}, and commands of the profile restrictive have no sockets`);
  if (given.kind === 'relayed') {
    checkFields(given, ['kind', 'certificate', 'serve'], 'network');
    return { kind: 'relayed' };
  }
  checkFields(given, ['kind', 'rules', 'privateNetworks', 'decide', 'onEvent', 'onTraffic', 'onRequest', 'secrets'], 'network');
  return { kind: 'egress', rules: given.rules, privateNetworks: given.privateNetworks };
}

function resolveLimits(given: Limits, profile: Profile, capabilities: Capabilities): ResolvedSpec['limits'] {
  const resolved: Record<string, number | null> = { ...profile.limits };
  checkFields(given, Object.keys(LIMIT_MAX), 'limits');
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const key = name as keyof Limits; // Just checked.
    if (value !== null) {
      checkLimit(key, value);
      refuseUnenforceable(key, capabilities);
    }
    resolved[name] = value;
  }
  if (capabilities.memory === 'none') resolved['memoryBytes'] = null;
  if (capabilities.cpus === 'none') resolved['cpus'] = null;
  if (capabilities.pids === 'none') resolved['pids'] = null;
  return resolved as ResolvedSpec['limits']; // The same keys as the profile's.
}

function checkLimit(name: keyof Limits, value: unknown): void {
  const min = LIMIT_MIN[name];
  const max = LIMIT_MAX[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max || (name !== 'cpus' && !Number.isInteger(value))) {
    throw refuse(
      `limits.${name} is ${shown(value)}, it must be ${name === 'cpus' ? 'a number' : 'an integer'} from ${min} to ${max}, or null for none`,
    );
  }
}

function refuseUnenforceable(name: keyof Limits, capabilities: Capabilities): void {
  const missing =
    (name === 'memoryBytes' && capabilities.memory === 'none') ||
    (name === 'cpus' && capabilities.cpus === 'none') ||
    (name === 'pids' && capabilities.pids === 'none');
  if (missing) {
    throw new Fault(
      'limit_unavailable',
      `Cannot start a sandbox with limits.${name}: there is no cgroup controller this user may use. See: warren doctor`,
      {
        details: { limit: name, fix: 'systemd-run --user --scope -p Delegate=yes warren …' },
      },
    );
  }
}

function resolveWorkspace(given: WorkspaceMount | undefined): WorkspaceMount | undefined {
  if (given === undefined) return undefined;
  checkFields(given, given?.kind === 'overlay' ? ['kind', 'directory', 'layer'] : ['kind', 'directory'], 'workspace');
  const directory = checkDirectory(given.directory, 'workspace.directory');
  switch (given.kind) {
    case 'overlay': {
      const layer = checkDirectory(given.layer, 'workspace.layer');
      if (isInside(layer, directory))
        throw refuse(`workspace.layer ${JSON.stringify(layer)} lies inside workspace.directory ${JSON.stringify(directory)}`);
      return { kind: 'overlay', directory, layer };
    }
    case 'writable':
    case 'read_only':
      return { kind: given.kind, directory };
    default:
      throw refuse(
        `workspace.kind is ${shown((given satisfies never as { kind: unknown }).kind)}, it must be overlay, writable or read_only`,
      );
  }
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Canonical, so that what was checked is what is mounted. */
function checkDirectory(path: unknown, field: string): string {
  const text = checkPath(path, field);
  let canonical: string;
  try {
    canonical = realpathSync(text);
    if (!statSync(canonical).isDirectory()) throw refuse(`${field} ${JSON.stringify(text)} is not a directory`);
  } catch (error) {
    throw pathFault(error, field, text);
  }
  return checkPath(canonical, field);
}

function pathFault(error: unknown, field: string, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${field} ${JSON.stringify(path)}`;
  if (code === 'ENOENT') return new Fault('not_found', `Cannot start a sandbox: ${where} does not exist`);
  if (code === 'EACCES' || code === 'EPERM')
    return new Fault('permission_denied', `Cannot start a sandbox: ${where} may not be entered by this user`);
  if (code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return refuse(`${where} is not a directory (${String(code)})`);
  return error;
}

function checkPath(path: unknown, field: string): string {
  if (typeof path !== 'string' || path === '') throw refuse(`${field} is not a path`);
  if (path.includes('\0')) throw refuse(`${field} holds a NUL`);
  if (!path.isWellFormed()) throw refuse(`${field} is ${JSON.stringify(path)}, which no file name can hold`);
  const bytes = Buffer.byteLength(path);
  if (bytes > PATH_BYTES_MAX) throw refuse(`${field} is ${bytes} bytes long, the limit is ${PATH_BYTES_MAX}`);
  return path;
}

function resolveMounts(given: readonly HostMount[], workspace: WorkspaceMount | undefined): ResolvedSpec['mounts'] {
  if (!Array.isArray(given)) throw refuse('mounts is not a list');
  if (given.length > MOUNTS_MAX) throw refuse(`mounts has ${given.length} entries, the limit is ${MOUNTS_MAX}`);
  return given.map((mount: HostMount, index) => {
    const field = `mounts[${index}]`;
    checkFields(mount, ['source', 'target', 'writable'], field);
    const { writable = false } = mount;
    if (typeof writable !== 'boolean') throw refuse(`${field}.writable is ${shown(writable)}, it must be true or false`);
    const source = checkPath(mount.source, `${field}.source`);
    let canonical: string;
    try {
      canonical = realpathSync(source);
    } catch (error) {
      throw pathFault(error, `${field}.source`, source);
    }
    const target = checkTarget(mount.target, `${field}.target`);
    if (
      target.startsWith(`${WORKSPACE}/`) &&
      workspace !== undefined &&
      canonical !== `${workspace.directory}${target.slice(WORKSPACE.length)}`
    ) {
      throw refuse(
        `${field}.target is ${JSON.stringify(target)}: a mount inside the workspace would have to be made in the directory itself; choose another place`,
      );
    }
    return { source: checkPath(canonical, `${field}.source`), target, writable };
  });
}

function checkTarget(path: unknown, field: string): string {
  const text = checkPath(path, field).replace(/\/+$/, '');
  const parts = text.split('/').slice(1);
  if (
    !text.startsWith('/') ||
    parts.length === 0 ||
    parts.some((part) => part === '' || part === '.' || part === '..' || Buffer.byteLength(part) > 255)
  ) {
    throw refuse(`${field} is ${JSON.stringify(path)}, it must be an absolute path without empty, "." or ".." parts`);
  }
  const top = `/${parts[0]}`;
  if (RESERVED_TARGETS.includes(text) || (RESERVED_TARGETS.includes(top) && top !== '/usr' && top !== '/etc') || text === WORKSPACE) {
    throw refuse(`${field} is ${JSON.stringify(text)}, which the sandbox needs for itself`);
  }
  return text;
}

function checkEnvironment(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || Array.isArray(given)) throw refuse(`env is ${shown(given)}, it must be an object`);
  const entries = Object.entries(given);
  if (entries.length > ENVIRONMENT_MAX) throw refuse(`env has ${entries.length} entries, the limit is ${ENVIRONMENT_MAX}`);
  for (const [name, value] of entries) {
    if (name === '' || name.includes('=') || !isEnvironmentText(name))
      throw refuse(`env has an entry with the name ${JSON.stringify(name)}`);
    if (!isEnvironmentText(value)) throw refuse(`env[${JSON.stringify(name)}] is not text without NUL`);
  }
  return Object.fromEntries(entries);
}

function isEnvironmentText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed();
}

function passedEnvironment(profile: Profile, environment: NodeJS.ProcessEnv): Record<string, string> {
  const passed: Record<string, string> = {};
  if (!profile.passesEnvironment) return passed;
  for (const name of ['PATH', 'LANG', 'LC_ALL', 'TERM', 'USER']) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

function checkHostname(name: unknown): string {
  if (typeof name !== 'string' || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)) {
    throw refuse(`hostname is ${shown(name)}, it must be 1 to 63 letters, digits and inner hyphens`);
  }
  return name;
}

function checkFields(given: unknown, known: readonly string[], what: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw refuse(`${what} is ${shown(given)}, it must be an object`);
  for (const key of Object.keys(given)) if (!known.includes(key)) throw refuse(`${what} has an unknown field ${JSON.stringify(key)}`);
}

/** For a message; JSON has no words for NaN, bigints, symbols and circles. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}

function refuse(what: string): Fault<'invalid_argument'> {
  return new Fault('invalid_argument', `Cannot start a sandbox: ${what}`);
}

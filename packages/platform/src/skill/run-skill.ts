/**
 * One run of a skill: a sandbox that is made for it and destroyed with all that it left, its folder read-only at `/skill`, JSON on standard input and JSON on standard output. What it declares is all it gets.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isFault, type JsonValue, type WorkspaceId } from '@warren/protocol';
import type { Exit, HostMount, Sandboxes } from '@warren/sandbox';
import { grantedDirectory } from '../agent/granted-directory.ts';
import { copyJson } from '../capability/copy-json.ts';
import { CapabilityError } from '../capability/handler.ts';
import type { SecretUse, SecretValue } from '../vault/secrets.ts';
import type { Skill, SkillManifest, SkillRequest, SkillRun } from './skill.ts';

export type RunSkillParts = {
  readonly sandboxes: Sandboxes;
  /** What the agents of a workspace see at `/workspace`. */
  readonly filesOf: (workspace: WorkspaceId) => string;
  readonly useSecret: (workspace: WorkspaceId, name: string, use: SecretUse) => Promise<SecretValue | undefined>;
  /** Networks that may be reached although they are not public. */
  readonly privateNetworks: readonly string[];
};

const TARGET = '/skill';
const NODE_TARGET = '/opt/skill-node';
const PIDS_MAX = 128;
const SCRATCH_BYTES_MAX = 268_435_456;
const FILE_BYTES_MAX = 268_435_456;
/** For the sandbox to outlive its command. */
const GRACE_MS = 1_000;
const LOG_BYTES_MAX = 4_096;

/** By the ending of its name; anything else is run as it is. */
const INTERPRETERS: readonly (readonly [ending: string, argv: readonly string[]])[] = [
  ['.js', [NODE_TARGET]],
  ['.mjs', [NODE_TARGET]],
  ['.cjs', [NODE_TARGET]],
  ['.sh', ['bash']],
  ['.py', ['python3']],
];

export async function runSkill(
  parts: RunSkillParts,
  skill: Skill,
  folder: string,
  { workspace, params, signal, network }: SkillRequest,
): Promise<SkillRun> {
  const { id, manifest, program } = skill;
  if (manifest === undefined || program === undefined) throw new Error(`Skill ${id} has no program`);
  const { hosts, timeoutMs, memoryBytes, outputBytesMax } = manifest;
  const argv = argvOf(manifest, program, folder);
  const startedMs = performance.now();
  const mounts = [
    { source: folder, target: TARGET, writable: false },
    ...(argv[0] === NODE_TARGET ? [{ source: process.execPath, target: NODE_TARGET, writable: false }] : []),
    ...workspaceMounts(parts.filesOf(workspace), manifest),
  ];
  const env = await environmentOf(parts, skill, manifest, workspace);
  await using sandbox = await parts.sandboxes.start(
    {
      profile: hosts.length === 0 ? 'restrictive' : 'moderate',
      mounts,
      limits: { memoryBytes, pids: PIDS_MAX, fileBytes: FILE_BYTES_MAX, scratchBytes: SCRATCH_BYTES_MAX, wallMs: timeoutMs + GRACE_MS },
      network:
        hosts.length === 0
          ? 'loopback'
          : {
              kind: 'egress',
              rules: hosts.map((host) => ({ host })),
              privateNetworks: parts.privateNetworks,
              ...(network !== undefined && {
                decide: (asked) => network.decide(asked),
                onEvent: (event) => network.note(event),
                onTraffic: (traffic) => network.charge(traffic),
              }),
            },
    },
    signal,
  );
  const { exit, stdout, stderr } = await sandbox
    .run(argv, { cwd: TARGET, env, stdin: JSON.stringify(params), timeoutMs, killGraceMs: 0, outputBytesMax, endsTree: true, signal })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      if (isFault(error, 'sandbox_gone')) throw timeout(id, timeoutMs, ''); // It outlived its sandbox, which has the same time.
      if (isFault(error, 'protocol_error')) throw failed(id, 'broke its sandbox', {});
      throw error;
    });
  signal.throwIfAborted();
  const log = new TextDecoder().decode(stderr.subarray(-LOG_BYTES_MAX));
  const cpuSeconds = cpuSecondsOf(exit);
  const durationMs = Math.round(performance.now() - startedMs);
  try {
    refuseExit(exit, skill, manifest, log);
    return { result: readResult(stdout, id, outputBytesMax), durationMs, log, cpuSeconds };
  } catch (error) {
    throw error instanceof CapabilityError ? withUsage(error, cpuSeconds) : error;
  }
}

function cpuSecondsOf(exit: Exit): number {
  return exit.kind === 'not_started' ? 0 : (exit.usage.userCpuMs + exit.usage.systemCpuMs) / 1_000;
}

/** What a run used that went wrong was used. */
function withUsage({ type, message, context }: CapabilityError, cpuSeconds: number): CapabilityError {
  return new CapabilityError(type, message, { context, usage: { cpu_s: Math.ceil(cpuSeconds) } });
}

/** A program of the skill stands in it; one that is not there is one of the system. */
function argvOf({ executable }: SkillManifest, program: string, folder: string): readonly string[] {
  const args = executable?.slice(1) ?? [];
  if (executable !== undefined && !existsSync(join(folder, program))) return [program, ...args];
  const interpreter = INTERPRETERS.find(([ending]) => program.endsWith(ending))?.[1] ?? [];
  return [...interpreter, `${TARGET}/${program}`, ...args];
}

/** Below `/workspace`, where agents see them too. */
function workspaceMounts(files: string, { mounts }: SkillManifest): readonly HostMount[] {
  return mounts
    .toSorted((one, other) => one.path.length - other.path.length)
    .map(({ path, isWritable }) => ({ source: grantedDirectory(files, path), target: `/workspace/${path}`, writable: isWritable }));
}

/** Which of its secrets is not to be had is said, and no more. */
async function environmentOf(
  { useSecret }: RunSkillParts,
  { id }: Skill,
  { secrets }: SkillManifest,
  workspace: WorkspaceId,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = { WARREN_SKILL: id };
  for (const [variable, name] of Object.entries(secrets)) {
    using value = await useSecret(workspace, name, { kind: 'skill', skill: id });
    const text = value === undefined ? undefined : Buffer.from(value.bytes).toString('utf8');
    if (text === undefined || text.includes('\0')) {
      const why = text === undefined ? 'there is none that is bound to this skill' : 'it cannot stand in an environment';
      throw new CapabilityError('SecretUnavailable', `Cannot run skill ${id}: secret ${name}: ${why}`, {
        context: { skill: id, secret: name },
      });
    }
    environment[variable] = text;
  }
  return environment;
}

function refuseExit(exit: Exit, { id }: Skill, { timeoutMs, outputBytesMax }: SkillManifest, log: string): void {
  if (exit.kind === 'exited' && exit.code === 0) return;
  const limit = exit.kind === 'not_started' ? undefined : exit.kind === 'stopped' ? exit.by : exit.limitsHit[0];
  switch (limit) {
    case 'deadline':
    case 'destroyed':
      throw timeout(id, timeoutMs, log);
    case 'output':
      throw new CapabilityError('InvalidReturn', `Skill ${id} prints more than ${outputBytesMax} bytes, which is its limit`, {
        context: { skill: id, limit: 'output', limit_bytes: outputBytesMax },
      });
    case 'memory':
    case 'pids':
    case 'cpu':
    case 'file_size':
    case 'open_files':
    case 'disk':
      throw new CapabilityError('ResourceExhausted', `Skill ${id} reaches its limit of ${limit}`, {
        context: { skill: id, resource: limit, log },
      });
    case 'caller':
    case undefined:
      throw failed(id, howItEnded(exit), { ...(exit.kind === 'exited' && { exit_code: exit.code }), log });
    default:
      limit satisfies never;
  }
}

function howItEnded(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exits with code ${exit.code}`;
    case 'signalled':
      return `ends by ${exit.signal}`;
    case 'stopped':
      return 'is stopped';
    case 'not_started':
      return exit.code === 127
        ? 'cannot be started: its program, or what runs it, is not there'
        : 'cannot be started: its program may not be executed';
    default:
      return exit satisfies never;
  }
}

/** One JSON text and nothing else. */
function readResult(stdout: Uint8Array, id: string, bytesMax: number): JsonValue {
  const invalid = (why: string): CapabilityError =>
    new CapabilityError('InvalidReturn', `Skill ${id} ${why}`, { context: { skill: id, limit: 'json' } });
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(stdout));
  } catch {
    throw invalid(stdout.byteLength === 0 ? 'prints nothing; it has to print JSON' : 'prints what is no JSON');
  }
  const copied = copyJson({ said }, bytesMax + 1_024);
  if (copied.kind === 'refused') throw invalid(`prints JSON that ${copied.field} ${copied.reason}`.replace(/\s+/g, ' '));
  return (copied.value as { readonly said: JsonValue }).said; // As it was put in.
}

function timeout(id: string, timeoutMs: number, log: string): CapabilityError {
  const seconds = timeoutMs / 1_000;
  return new CapabilityError('Timeout', `Skill ${id} does not end within ${seconds} s, which is its limit`, {
    context: { skill: id, timeout_seconds: seconds, log },
  });
}

function failed(id: string, how: string, context: { readonly exit_code?: number; readonly log?: string }): CapabilityError {
  const line = (context.log ?? '').trimEnd().split('\n').at(-1) ?? '';
  const shown = line
    .slice(0, 1_000)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return new CapabilityError('SkillFailed', `Skill ${id} ${how}${shown === '' ? '' : `: ${shown}`}`, {
    context: { skill: id, ...context },
  });
}

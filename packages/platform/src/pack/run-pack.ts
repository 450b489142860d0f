/**
 * One call of a pack: its program is started in a sandbox of its own, with the pack read-only at `/pack`, no network, no workspace and little of everything; it
 * gets one JSON text and answers one. Whatever it does instead is an error of that call and of nothing else.
 */
import type { ActContext, Usage as CallUsage } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import type { Exit, Sandboxes } from '@warren/sandbox';
import { checkOutput } from '../capability/check-output.ts';
import { isObject } from '../capability/compile-field.ts';
import { copyJson } from '../capability/copy-json.ts';
import type { Definition } from '../capability/definition.ts';
import { CapabilityError, type HandlerResult } from '../capability/handler.ts';
import type { PackManifest } from './pack-manifest.ts';

export type PackRun = {
  readonly sandboxes: Sandboxes;
  /** Of the host. */
  readonly folder: string;
  readonly manifest: PackManifest;
  readonly now: () => number;
};

const TARGET = '/pack';
const OUTPUT_BYTES_MAX = 4_194_304;
const CONTEXT_BYTES_MAX = 16_384;
const MESSAGE_LENGTH_MAX = 2_000;
const PIDS_MAX = 64;
const FILE_BYTES_MAX = 67_108_864;
const SCRATCH_BYTES_MAX = 67_108_864;
const GRACE_MS = 1_000;

export async function runPack(
  { sandboxes, folder, manifest, now }: PackRun,
  definition: Definition,
  context: ActContext,
): Promise<HandlerResult> {
  const { actor, callId, input, signal, deadlineAt } = context;
  const timeoutMs = Math.max(1, deadlineAt - now());
  await using sandbox = await sandboxes.start(
    {
      profile: 'restrictive',
      mounts: [{ source: folder, target: TARGET, writable: false }],
      limits: {
        memoryBytes: manifest.memoryBytes,
        pids: PIDS_MAX,
        fileBytes: FILE_BYTES_MAX,
        scratchBytes: SCRATCH_BYTES_MAX,
        wallMs: timeoutMs + GRACE_MS,
      },
      network: 'loopback',
    },
    signal,
  );
  const request = { capability: definition.name, input, context: { workspace: actor.workspace, agent: actor.agent, call_id: callId } };
  const { exit, stdout, stderr } = await sandbox
    .run(programOf(manifest), {
      cwd: TARGET,
      stdin: JSON.stringify(request),
      timeoutMs,
      killGraceMs: 0,
      outputBytesMax: OUTPUT_BYTES_MAX,
      signal,
    })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      if (isFault(error, 'sandbox_gone')) throw timeout(timeoutMs); // It outlived its sandbox, which has the same time.
      if (isFault(error, 'protocol_error')) throw runnerError(`The program of ${definition.name} broke its sandbox`);
      throw error;
    });
  signal.throwIfAborted();
  const usage = usageOf(exit);
  refuseExit(exit, definition, stderr, usage, timeoutMs);
  return { output: readAnswer(stdout, definition, usage), usage };
}

/** A program of the pack stands in it; one without a slash is one of the system. */
function programOf({ executable: [program = '', ...rest] }: PackManifest): readonly string[] {
  return [program.includes('/') ? `${TARGET}/${program.replace(/^\.\//, '')}` : program, ...rest];
}

function refuseExit(exit: Exit, { name }: Definition, stderr: Uint8Array, usage: CallUsage, timeoutMs: number): void {
  if (exit.kind === 'exited' && exit.code === 0) return;
  const limit = exit.kind === 'not_started' ? undefined : exit.kind === 'stopped' ? exit.by : exit.limitsHit[0];
  switch (limit) {
    case 'deadline':
      throw timeout(timeoutMs, usage);
    case 'output':
      throw new CapabilityError('InvalidReturn', `The program of ${name} prints more than ${OUTPUT_BYTES_MAX} bytes`, { usage });
    case 'memory':
    case 'pids':
    case 'cpu':
    case 'file_size':
    case 'open_files':
    case 'disk':
      throw new CapabilityError('ResourceExhausted', `The program of ${name} reaches its limit of ${limit}`, {
        usage,
        context: { resource: limit },
      });
    case 'destroyed':
      throw timeout(timeoutMs, usage);
    case 'caller':
    case undefined:
      throw runnerError(`The program of ${name} ${howItEnded(exit)}${lastLine(stderr)}`, usage);
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
      return exit.code === 127 ? 'is not there' : 'cannot be started';
    default:
      return exit satisfies never;
  }
}

/** One `{ output }` or `{ error }`, and nothing else. */
function readAnswer(stdout: Uint8Array, definition: Definition, usage: CallUsage): JsonObject {
  const invalid = (reason: string): CapabilityError =>
    new CapabilityError('InvalidReturn', `The program of ${definition.name} ${reason}`, { usage });
  const said = parse(stdout);
  if (said === undefined) throw invalid('answers no JSON');
  const copied = copyJson(said, OUTPUT_BYTES_MAX);
  if (copied.kind === 'refused') throw invalid(`answers something that ${copied.field} ${copied.reason}`.replace(/\s+/g, ' '));
  const answer = copied.value;
  if (!isObject(answer) || Object.keys(answer).length !== 1) throw invalid('does not answer one object with output or error');
  const { output, error } = answer;
  if (isObject(error)) throw errorOf(error, definition, usage);
  if (!isObject(output)) throw invalid('answers an output that is no object');
  const problems = checkOutput(definition.outputs, output, false);
  if (problems.length > 0) throw invalid(`answers an output that its definition does not promise: ${problems.join('; ')}`);
  return output;
}

function errorOf({ type, message, context }: JsonObject, definition: Definition, usage: CallUsage): CapabilityError {
  const said = typeof message === 'string' ? clean(message) : 'it says no more';
  if (typeof type !== 'string' || !definition.errors.some((error) => error.type === type)) {
    const name = typeof type === 'string' ? clean(type).slice(0, 64) : 'without a type';
    return runnerError(`The program of ${definition.name} answers an error ${name} that its definition does not name: ${said}`, usage);
  }
  const isSmall = isObject(context) && copyJson(context, CONTEXT_BYTES_MAX).kind === 'copied';
  return new CapabilityError(type, said, { usage, context: isSmall ? context : undefined });
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined; // Which no JSON stands for.
  }
}

function timeout(timeoutMs: number, usage?: CallUsage): CapabilityError {
  const seconds = Math.ceil(timeoutMs / 1_000);
  return new CapabilityError('Timeout', `The program of the pack does not end within ${seconds} s`, {
    usage,
    context: { timeout_seconds: seconds },
  });
}

function runnerError(message: string, usage?: CallUsage): CapabilityError {
  return new CapabilityError('PackFailed', message, { usage });
}

function lastLine(stderr: Uint8Array): string {
  const line = new TextDecoder()
    .decode(stderr.subarray(-4 * MESSAGE_LENGTH_MAX))
    .trimEnd()
    .split('\n')
    .at(-1);
  return line === undefined || line === '' ? '' : `: ${clean(line)}`;
}

/** One line without control characters: it is shown to people and models. */
function clean(text: string): string {
  return text
    .slice(0, MESSAGE_LENGTH_MAX)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function usageOf(exit: Exit): CallUsage {
  return exit.kind === 'not_started' ? {} : { cpu_s: Math.ceil((exit.usage.userCpuMs + exit.usage.systemCpuMs) / 1_000) };
}

/** A hook that is a command: started in a sandbox of its own, with what the operator mounts, no network and nothing of the host. It is told on standard input and answers on standard output. */
import type { JsonObject } from '@warren/protocol';
import type { Exit, Sandboxes } from '@warren/sandbox';
import { cleanText } from '../internal/clean-text.ts';
import { readSecrets } from '../mcp/read-secrets.ts';
import { ANSWER_BYTES_MAX, readAnswer } from './hook-document.ts';
import type { CommandHook } from './hook-file-format.ts';

const PIDS_MAX = 64;
const SCRATCH_BYTES_MAX = 67_108_864;
/** The sandbox outlives the time of its command a little, so that it is the command which is said to have taken too long. */
const GRACE_MS = 1_000;
const REASON_CHARACTERS_MAX = 300;

/** Rejects with why it failed, in words. `signal` ends it and all it started. */
export async function runHookCommand(sandboxes: Sandboxes, hook: CommandHook, told: JsonObject, signal: AbortSignal): Promise<unknown> {
  const secrets = await readSecrets(hook.env_files, `run hook ${hook.name}`);
  await using sandbox = await sandboxes.start(
    {
      profile: 'restrictive',
      mounts: hook.mounts,
      limits: { memoryBytes: hook.memory_bytes, pids: PIDS_MAX, scratchBytes: SCRATCH_BYTES_MAX, wallMs: hook.timeout + GRACE_MS },
      network: 'loopback',
    },
    signal,
  );
  const { exit, stdout, stderr } = await sandbox.run(hook.command, {
    ...(hook.cwd !== undefined && { cwd: hook.cwd }),
    env: { ...hook.env, ...secrets },
    stdin: JSON.stringify(told),
    killGraceMs: 0,
    outputBytesMax: ANSWER_BYTES_MAX,
    signal,
  });
  signal.throwIfAborted();
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`${howItEnded(exit)}${lastLine(stderr)}`);
  return readAnswer(stdout);
}

function howItEnded(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `it exits with code ${exit.code}`;
    case 'signalled':
      return `it ends by ${exit.signal}`;
    case 'stopped':
      return `it is stopped by ${exit.by}`;
    case 'not_started':
      return exit.code === 127 ? 'its program is not there' : 'its program cannot be started';
    default:
      return exit satisfies never;
  }
}

function lastLine(stderr: Uint8Array): string {
  const line = new TextDecoder().decode(stderr).trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${cleanText(line, REASON_CHARACTERS_MAX)}`;
}

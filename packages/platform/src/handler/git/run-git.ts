/** One command of git inside the agent's sandbox, its output bounded while it arrives. */
import type { Exit, Sandbox } from '@warren/sandbox';
import { CapabilityError } from '../../capability/handler.ts';

export const OUTPUT_BYTES_MAX = 4 * 1_048_576;
const ERROR_BYTES_MAX = 16_384;
const TIMEOUT_MS_DEFAULT = 120_000;

export type GitRequest = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: string | undefined;
  /** What comes after is not read, and git is ended. Default 4 MiB. */
  readonly outputBytesMax?: number | undefined;
  readonly timeoutMs?: number | undefined;
};

export type GitOutcome = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** There was more output than was asked for. */
  readonly isTruncated: boolean;
};

/** What must hold whatever the repository is: no prompts, no pagers, no editors, no protocols, no configuration but ours. */
export const SAFE_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_ASKPASS: 'true',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_EDITOR: 'false',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_PAGER: 'cat',
  GIT_SEQUENCE_EDITOR: 'false',
  GIT_SSH_COMMAND: 'false',
  GIT_TERMINAL_PROMPT: '0',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  SSH_ASKPASS: 'true',
};

export async function runGit(sandbox: Sandbox, request: GitRequest, signal: AbortSignal): Promise<GitOutcome> {
  signal.throwIfAborted();
  const execution = sandbox.exec(['git', ...request.args], {
    env: cleanEnvironment(sandbox, request.env),
    cwd: request.cwd,
    timeoutMs: request.timeoutMs ?? TIMEOUT_MS_DEFAULT,
    signal,
    ...(request.stdin === undefined ? {} : { stdin: request.stdin }),
  });
  const [stdout, stderr] = await Promise.all([
    collect(execution.stdout, request.outputBytesMax ?? OUTPUT_BYTES_MAX, () => execution.kill('SIGKILL', 'tree')),
    collect(execution.stderr, ERROR_BYTES_MAX, undefined),
  ]);
  const exit = await execution.exit;
  signal.throwIfAborted();
  return { code: stdout.isTruncated ? 0 : codeOf(exit), stdout: stdout.text, stderr: stderr.text, isTruncated: stdout.isTruncated };
}

/** What the sandbox sets for every command is no business of git, and `GIT_*` would change what it does. */
export function cleanEnvironment(sandbox: Sandbox, env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const inherited = Object.keys(sandbox.spec.env).map((name): [string, undefined] => [name, undefined]);
  return { ...Object.fromEntries(inherited), ...SAFE_ENVIRONMENT, ...env };
}

async function collect(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
  onFull: (() => void) | undefined,
): Promise<{ readonly text: string; readonly isTruncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isTruncated = false;
  for await (const chunk of stream) {
    const room = bytesMax - bytes;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    bytes += Math.min(chunk.length, room);
    if (chunk.length <= room || isTruncated) continue;
    isTruncated = true;
    onFull?.(); // The rest is read and dropped, so that it can end.
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isTruncated };
}

function codeOf(exit: Exit): number {
  switch (exit.kind) {
    case 'exited':
      return exit.code;
    case 'signalled':
      throw new CapabilityError('ResourceExhausted', describeEnd(exit.signal, exit.limitsHit), {
        context: { resource: exit.limitsHit[0] ?? 'unknown' },
      });
    case 'stopped':
      throw new CapabilityError('ResourceExhausted', `Cannot finish git: ${exit.detail}`, { context: { resource: exit.by } });
    case 'not_started':
      throw new CapabilityError('ServiceUnavailable', `Cannot start git in the sandbox: ${exit.call} says ${exit.errno}`);
    default:
      return exit satisfies never;
  }
}

function describeEnd(signal: string, limitsHit: readonly string[]): string {
  return limitsHit.length === 0
    ? `Cannot finish git: it was ended by ${signal}`
    : `Cannot finish git: the sandbox reached its limit of ${limitsHit.join(' and ')}`;
}

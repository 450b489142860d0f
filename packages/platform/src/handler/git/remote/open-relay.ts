/**
 * The way from git in the sandbox to the host, without a network: git starts a helper for our URLs, a script that copies its input into a pipe with a name and
 * what comes out of another one to its output. Commands of ours hold the other ends, so the host reads and writes them. Pipes with names, because the end of
 * each direction has to be seen by itself.
 */
import type { Execution, Sandbox } from '@warren/sandbox';
import { cleanEnvironment } from '../run-git.ts';
import type { Pipe } from './serve-helper.ts';

/** The name git looks for, of URLs that begin with `warren::`. */
const HELPER = 'git-remote-warren';

/** The words go on behind the answers: each `cat` ends with its pipe. */
const HELPER_SCRIPT = `#!/bin/sh
cat "$GIT_RELAY/answers" &
exec cat > "$GIT_RELAY/words"
`;

export type Relay = AsyncDisposable & {
  readonly pipe: Pipe;
  /** What git needs in its environment to find the helper. */
  readonly env: Readonly<Record<string, string>>;
};

/** `made`: a directory of ours in the sandbox, with `bin`. Disposing it ends both commands. */
export async function openRelay(sandbox: Sandbox, made: string, signal: AbortSignal): Promise<Relay> {
  await sandbox.writeFile(`${made}/bin/${HELPER}`, HELPER_SCRIPT, { mode: 0o700, signal });
  const options = { cwd: made, env: cleanEnvironment(sandbox, {}), signal };
  const { exit, stderr } = await sandbox.run(['mkfifo', 'words', 'answers'], options);
  if (exit.kind !== 'exited' || exit.code !== 0)
    throw new Error(`Cannot make pipes in the sandbox: ${Buffer.from(stderr).toString('utf8')}`);
  const words = sandbox.exec(['cat', 'words'], options);
  const answers = sandbox.exec(['sh', '-c', 'exec cat > answers'], { ...options, stdin: 'pipe' });
  for (const stream of [words.stderr, answers.stdout, answers.stderr]) void drain(stream);
  return {
    pipe: { words: words.stdout, write: (bytes) => answers.write(bytes), end: () => answers.closeStdin() },
    env: { GIT_RELAY: made, GIT_ALLOW_PROTOCOL: 'warren', PATH: `${made}/bin:/usr/local/bin:/usr/bin:/bin` },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([words, answers].map(end));
    },
  };
}

/** Does not throw: a sandbox that is gone ended them. */
async function end(execution: Execution): Promise<void> {
  execution.kill('SIGKILL', 'tree');
  await execution.exit.catch(() => {
    // It ended with the sandbox.
  });
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of stream); // A `cat` says something only when its pipe broke.
  } catch {
    // The sandbox is gone, and whoever works with it hears of that elsewhere.
  }
}

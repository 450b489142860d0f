/** Git of the host, in a repository of the operator: for heads of the audit that are kept there. Never for agents. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const OUTPUT_BYTES_MAX = 1_048_576;

export async function runGit(args: readonly string[], directory: string, signal: AbortSignal): Promise<void> {
  await promisify(execFile)('git', [...args], {
    cwd: directory,
    signal,
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
  });
}

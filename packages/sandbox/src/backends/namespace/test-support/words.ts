/** Words for what a command said and how it ended. */
import { isFault } from '@warren/protocol';
import type { Completed, Exit, RunOptions, Sandbox } from '../../../contract.ts';

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

export async function contentOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return text(Buffer.concat(chunks));
}

/** Runs a script and returns what it said; it fails unless the script ends with 0. */
export async function shell(sandbox: Pick<Sandbox, 'run'>, script: string, options?: RunOptions): Promise<string> {
  const completed = await sandbox.run(['sh', '-c', script], options);
  if (completed.exit.kind !== 'exited' || completed.exit.code !== 0) throw new Error(`${script}: ${said(completed)}`);
  return text(completed.stdout);
}

export function said({ exit, stdout, stderr }: Completed): string {
  return `${endOf(exit)} ${JSON.stringify([text(stdout).slice(0, 500), text(stderr).slice(0, 500)])}`;
}

/** `exited 3`, `signalled SIGKILL`, `stopped by memory`, `not started: exec ENOENT`. */
export function endOf(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exited ${exit.code}`;
    case 'signalled':
      return `signalled ${exit.signal}`;
    case 'stopped':
      return `stopped by ${exit.by}`;
    case 'not_started':
      return `not started: ${exit.stage} ${exit.errno}`;
  }
}

/** The code of the fault that a promise rejects with. */
export async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return isFault(error) ? error.code : `no fault: ${String(error)}`;
  }
}

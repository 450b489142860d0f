/** Which directories of a layer hide what lies below them: an extended attribute, which Node cannot read and the launcher can. */
import { spawn } from 'node:child_process';
import { Fault } from '@warren/protocol';
import { findLauncher } from './open-sandboxes.ts';

const ANSWER_BYTES_MAX = 16_777_216;

/** One answer a directory, in their order; links are followed (see `OpaqueProbe`). */
export async function probeOpaque(directories: readonly string[], launcher: string = findLauncher()): Promise<readonly boolean[]> {
  if (directories.length === 0) return [];
  const child = spawn(launcher, ['opaque'], { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/' });
  const answers: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= ANSWER_BYTES_MAX) answers.push(chunk);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`warren-launcher opaque ended with ${code}`))));
  child.stdin.on('error', () => {}); // It ended early; its exit code says so.
  child.stdin.end(`${directories.join('\0')}\0`);
  try {
    await promise;
  } catch (cause) {
    throw new Fault('internal', 'Cannot read the layer: warren-launcher does not answer', { cause });
  }
  const text = Buffer.concat(answers).toString('latin1');
  if (text.length !== directories.length)
    throw new Fault('internal', `Cannot read the layer: ${directories.length} questions got ${text.length} answers`);
  return [...text].map((answer) => answer === 'y');
}

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/** Milliseconds from the call of `spawn` to the news that the program has ended. Throws unless it ended well. */
export function timeProgram(file: string, args: readonly string[], options: SpawnOptions = { stdio: 'ignore' }): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(file, args, options);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const tookMs = performance.now() - startedAt;
      if (code === 0) resolve(tookMs);
      else reject(new Error(`${[file, ...args].join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** What a program says, or undefined when it cannot be run or fails. */
export function outputOf(file: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv } = {}): string | undefined {
  const done = spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], ...options });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/** Runs a program to its end; says what it said when it fails. */
export function runProgram(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const done = spawnSync(file, args, { encoding: 'utf8', env });
  if (done.status === 0) return;
  throw new Error(
    `${[file, ...args].join(' ')} failed (${done.error?.message ?? done.signal ?? `exit code ${done.status}`}): ${done.stderr}`,
  );
}

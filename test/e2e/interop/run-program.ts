/** Runs a program of others: to its end, or until it has had its time, and then all it started with it. */
import { spawn } from 'node:child_process';

export type Ran = { readonly code: number | null; readonly output: string; readonly isLate: boolean };
export type Options = { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly msMax: number };

const OUTPUT_MAX = 200_000;
/** Each leads a group, so nobody ends them for us when we are ended. */
const groups = new Set<number>();
let isEnding = false;

export function runProgram([program = '', ...words]: readonly string[], { cwd, env, msMax }: Options): Promise<Ran> {
  if (isEnding) return Promise.reject(new Error(`Cannot start ${program}: everything is being ended`));
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    let output = '';
    let isLate = false;
    const take = (chunk: Buffer): void => {
      output = `${output}${chunk}`.slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      isLate = true;
      if (pid !== undefined) endGroup(pid);
    }, msMax);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('exit', () => pid !== undefined && endGroup(pid)); // What it left running would hold its output open.
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, isLate });
    });
  });
}

/** For whoever is about to end. No other starts after it. */
export function endPrograms(): void {
  isEnding = true;
  for (const pid of groups) endGroup(pid);
}

function endGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

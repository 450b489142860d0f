/** Runs a program on a pseudo-terminal of its own and types at it. Needs python3: Node cannot make one. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type TerminalStep = {
  /** A regular expression of Python that must match what was printed since the step before. */
  readonly expect?: string;
  /** Typed every two seconds until it does: a program that is just being interrupted throws away what is typed. */
  readonly again?: string;
  readonly send?: string;
  /** Rows, columns. */
  readonly resize?: readonly [number, number];
  readonly signal?: string;
  /** Seconds. */
  readonly wait?: number;
};

export type TerminalSession = {
  readonly argv: readonly string[];
  readonly steps: readonly TerminalStep[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly timeout?: number;
};

export type TerminalOutcome = {
  readonly output: string;
  readonly code: number;
  /** Whether the terminal has the modes it had before. */
  readonly restored: boolean;
  /** The first step whose text never came; null when all did. */
  readonly failedStep: number | null;
  readonly timedOut: boolean;
};

export const hasPython: boolean = spawnSync('python3', ['-c', 'import pty']).status === 0;

export async function atTerminal(session: TerminalSession): Promise<TerminalOutcome> {
  const player = spawn('python3', [fileURLToPath(new URL('terminal.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
  player.stdin.end(JSON.stringify(session));
  let text = '';
  for await (const chunk of player.stdout) text += String(chunk);
  return JSON.parse(text) as TerminalOutcome; // Written by terminal.py.
}

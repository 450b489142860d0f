import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** With nothing of this process's environment but what finds programs. */
export function startNode(args: readonly string[], cwd: string, environment: Readonly<Record<string, string>>): Child {
  const { PATH = '', HOME = '' } = process.env;
  return spawn(process.execPath, args, { cwd, env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
}

export async function finish(child: Child): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const text = async (stream: Readable): Promise<string> => {
    let all = '';
    for await (const chunk of stream.setEncoding('utf8')) all += chunk;
    return all;
  };
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

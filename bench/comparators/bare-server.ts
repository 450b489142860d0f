/** The least a server in Node can do: load `node:http`, listen on a unix socket, answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { untilItAnswers } from '../harness/daemon.ts';

const PROGRAM = `
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":1,"result":{}}'));
  });
  server.listen(process.argv[1]);
`;

/** Milliseconds from spawn to its first answer. */
export async function timeBareServer(directory: string, env: NodeJS.ProcessEnv): Promise<number> {
  const socketPath = join(directory, 'bare.sock');
  rmSync(socketPath, { force: true });
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['-e', PROGRAM, socketPath], { stdio: 'ignore', env });
  try {
    const connection = await untilItAnswers(socketPath, () => child.exitCode !== null);
    const tookMs = performance.now() - startedAt;
    connection.close();
    return tookMs;
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

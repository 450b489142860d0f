/** `warren mcp`: an MCP server on standard input and output, which is a pipe to the daemon. */
import { setTimeout as wait } from 'node:timers/promises';
import { socketPath } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import { noDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { OutputClosed } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { McpPipe } from '../internal/mcp-pipe.ts';
import { createMcpWires } from '../internal/mcp-wire.ts';
import { readLines } from '../internal/read-lines.ts';
import { safeText } from '../internal/safe-text.ts';
import { requireHere } from '../internal/server-link.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { McpFlags } from '../program/mcp-commands.ts';

/** As much as the daemon takes. */
const LINE_BYTES_MAX = 24 * 2 ** 20;
/** After the end of the input, for answers that are under way. */
const GRACE_MS = 1_000;

export async function mcp({ state, workspace, agent }: McpFlags, host: Host): Promise<number> {
  requireHere({ ...(state !== undefined && { state }) }, host, 'be a server of MCP');
  const stateDirectory = statePath(host, state);
  return await interruptible(host, async (signal) => {
    const pipe = new McpPipe({
      open: createMcpWires({ socketPath: socketPath(stateDirectory), agent, workspace }),
      write: (text) => host.stdout.write(text),
      say: (text) => void host.stderr.write(`warren: ${safeText(text)}\n`).catch(() => {}), // Nobody listens.
      signal,
      sleep: async (ms, until) => void (await wait(ms, undefined, { signal: until })),
    });
    try {
      await pipe.begin();
    } catch (error) {
      if (!isFault(error, 'unavailable')) throw error;
      throw noDaemon(stateDirectory, 'be a server of MCP', nextCommand('serve --detach', { state }));
    }
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    try {
      await Promise.race([passInput(pipe, host), pipe.failed, aborted]);
      await Promise.race([pipe.idle(), wait(GRACE_MS, undefined, { ref: false }), pipe.failed, aborted]);
      await host.stdout.flush();
      return 0;
    } catch (error) {
      if (error instanceof OutputClosed) return 0; // The client is gone.
      throw error;
    } finally {
      host.stdin.close();
      pipe.close();
    }
  });
}

async function passInput(pipe: McpPipe, host: Host): Promise<void> {
  try {
    for await (const line of readLines(host.stdin.read(), LINE_BYTES_MAX)) if (line.trim() !== '') await pipe.take(line);
  } catch (error) {
    throw error instanceof Fault || error instanceof OutputClosed
      ? error
      : new Fault('invalid_argument', error instanceof Error ? error.message : 'Cannot read the input', { cause: error });
  }
}

/** `warren mcp-server login`: a person says yes in a browser, and the daemon gets what the browser comes back with. */
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { listenForReturn } from '../internal/listen-for-return.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import type { StateFlags } from '../program/state-options.ts';

/** As long as the daemon waits. */
const WAIT_MS = 600_000;

export async function mcpServerLogin(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'log in for an MCP server');
  return await interruptible(host, async (signal) => {
    await using browser = await listenForReturn();
    const { address, state } = await client.call('mcp_server.begin_login', { name, redirect_uri: browser.address }, { signal });
    await host.stderr.write(`warren: open this address in a browser on this machine, and say yes:\n\n  ${safeText(address)}\n\n`);
    const { code, issuer } = await browser.returned(state, AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]));
    const done = await client.call('mcp_server.finish_login', { name, state, code, ...(issuer !== undefined && { issuer }) }, { signal });
    if (flags.json === true) await host.stdout.write(`${safeJson(done, 2)}\n`);
    else
      await host.stdout.write(`Logged in for ${safeText(name)}.\n  next: ${nextCommand(`mcp-server reload ${safeText(name)}`, flags)}\n`);
    return 0;
  });
}

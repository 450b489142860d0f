/** `warren mcp-server`: what was approved of servers of others. Everything they say is shown as text and nothing else. */
import type { McpServerRecord } from '@warren/protocol/contract';
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { formatLabelled } from '../internal/labelled.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import type { McpServerApproveFlags } from '../program/mcp-server-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

export async function mcpServerList(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'list MCP servers');
  const found = await client.call('mcp_server.list', {});
  if (flags.json === true) return await printJson(host, found);
  const columns = [{ title: 'SERVER' }, { title: 'KIND' }, { title: 'STATE' }, { title: 'TOOLS' }, { title: 'PROBLEM' }] as const;
  const rows = found.servers.map(({ name, kind, state, capabilities, problem }) => [
    ...[safeText(name), kind, state, String(capabilities)],
    safeText(problem ?? ''),
  ]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

export async function mcpServerShow(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'show an MCP server');
  const server = await client.call('mcp_server.get', { name });
  return await show(server, flags, host);
}

/** 1 when one of them did not answer. */
export async function mcpServerReload(name: string | undefined, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'ask MCP servers for their tools');
  const { servers } = await client.call('mcp_server.reload', name === undefined ? {} : { name });
  const code = servers.some(({ problem }) => problem !== null) ? 1 : 0;
  if (flags.json === true) await printJson(host, { servers });
  else for (const server of servers) await show(server, flags, host);
  return code;
}

export async function mcpServerApprove(name: string, flags: McpServerApproveFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'approve an MCP server');
  const { hash = '', read } = flags; // The flag is required.
  const server = await client.call('mcp_server.approve', { name, hash, ...(read !== undefined && { read: [...read] }) });
  if (flags.json === true) return await printJson(host, server);
  await host.stdout.write(`${server.capabilities} tools of ${safeText(name)} are approved\n`);
  return 0;
}

export async function mcpServerRemove(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'take back an approval');
  const found = await client.call('mcp_server.remove', { name });
  if (flags.json === true) return await printJson(host, found);
  await host.stdout.write(
    found.removed ? `No tool of ${safeText(name)} is approved any more\n` : `No tool of ${safeText(name)} was approved\n`,
  );
  return 0;
}

async function show(server: McpServerRecord, flags: StateFlags, host: Host): Promise<number> {
  if (flags.json === true) return await printJson(host, server);
  const { name, kind, state, pinned, seen, problem, tools, changes } = server;
  const head = formatLabelled([
    ['server', safeText(`${name} (${kind})`)],
    ['state', state],
    ['approved', pinned ?? 'nothing'],
    ['it has', seen ?? 'nobody has looked since the start'],
    ...(problem === null ? [] : [['problem', safeText(problem)] as const]),
  ]);
  const lines = tools.flatMap(({ tool, capability, reason, description, read }) => [
    `  ${safeText(capability === null ? `${tool}: cannot be used: it ${reason ?? ''}` : `${capability} (its ${tool})`)}${read ? ' reads' : ''}`,
    ...(description === '' ? [] : [`    it says: ${safeText(description)}`]),
  ]);
  const differences = changes.flatMap(({ tool, kind: how, fields }) => [
    `  tool ${safeText(tool)} was ${how}`,
    ...fields.flatMap(({ field, before, now }) => [`    ${safeText(field)}`, `      - ${safeText(before)}`, `      + ${safeText(now)}`]),
  ]);
  await host.stdout.write(`${head}tools\n${lines.map((line) => `${line}\n`).join('')}`);
  if (differences.length > 0) await host.stdout.write(`changed since it was approved\n${differences.map((line) => `${line}\n`).join('')}`);
  if (seen !== null && seen !== pinned)
    await host.stderr.write(`  approve it: ${nextCommand(`mcp-server approve ${safeText(name)} --hash ${seen}`, flags)}\n`);
  return 0;
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}

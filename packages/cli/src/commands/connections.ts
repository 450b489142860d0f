/** How programs that speak MCP are told of a server, each in its own form. */
import { shellWord } from '../internal/shell-words.ts';

export const CLIENTS = ['claude-code', 'codex', 'gemini', 'opencode', 'any'] as const;
export type ClientName = (typeof CLIENTS)[number];

export type Wire =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[] }
  /** The token stands in the environment, not in the file. */
  | { readonly kind: 'http'; readonly url: string; readonly tokenVariable: string };

export const TOKEN_VARIABLE = 'WARREN_TOKEN';

/** `where` says what to do with `text`. */
export type Connection = { readonly client: ClientName; readonly where: string; readonly text: string };

export function connectionFor(client: ClientName, wire: Wire): Connection {
  switch (client) {
    case 'claude-code':
      return { client, where: 'run this in your project', text: claudeCode(wire) };
    case 'codex':
      return { client, where: 'put this into ~/.codex/config.toml', text: codex(wire) };
    case 'gemini':
      return { client, where: 'put this into ~/.gemini/settings.json', text: json({ mcpServers: { warren: gemini(wire) } }) };
    case 'opencode':
      return { client, where: 'put this into opencode.json', text: json({ mcp: { warren: openCode(wire) } }) };
    case 'any':
      return { client, where: 'put this where your program lists its MCP servers', text: json({ mcpServers: { warren: any(wire) } }) };
    default:
      return client satisfies never;
  }
}

function claudeCode(wire: Wire): string {
  if (wire.kind === 'stdio') return `claude mcp add warren -- ${[wire.command, ...wire.args].map(shellWord).join(' ')}`;
  // The shell leaves the variable alone: it is for the program to fill in, and the token in no file.
  return `claude mcp add --transport http warren ${shellWord(wire.url)} --header 'Authorization: Bearer \${${wire.tokenVariable}}'`;
}

/** Strings of TOML's basic kind are those of JSON. */
function codex(wire: Wire): string {
  if (wire.kind === 'stdio') {
    return `[mcp_servers.warren]\ncommand = ${JSON.stringify(wire.command)}\nargs = ${JSON.stringify(wire.args)}\ntool_timeout_sec = 86400\n`;
  }
  return `[mcp_servers.warren]\nurl = ${JSON.stringify(wire.url)}\nbearer_token_env_var = ${JSON.stringify(wire.tokenVariable)}\ntool_timeout_sec = 86400\n`;
}

function gemini(wire: Wire): object {
  if (wire.kind === 'stdio') return { command: wire.command, args: wire.args };
  return { httpUrl: wire.url, headers: { Authorization: `Bearer $${wire.tokenVariable}` } };
}

function openCode(wire: Wire): object {
  if (wire.kind === 'stdio') return { type: 'local', command: [wire.command, ...wire.args], enabled: true };
  return { type: 'remote', url: wire.url, headers: { Authorization: `Bearer {env:${wire.tokenVariable}}` }, enabled: true };
}

function any(wire: Wire): object {
  if (wire.kind === 'stdio') return { command: wire.command, args: wire.args };
  return { type: 'http', url: wire.url, headers: { Authorization: `Bearer \${${wire.tokenVariable}}` } };
}

function json(value: object): string {
  return JSON.stringify(value, null, 2);
}

/**
 * Which servers of MCP an operator mounts, in `<state>/mcp-servers.yaml`:
 *
 *     servers:
 *       - name: notes
 *         command: [python3, /srv/notes/server.py]
 *         mounts: [{ source: /opt/notes, target: /srv/notes }]
 *         env_files: { NOTES_KEY: secrets/notes-key }
 *       - name: search
 *         url: https://search.example.com/mcp
 *         header_files: { authorization: secrets/search-header }
 *         tools: [query]
 *
 * Secrets stand in files of their own, named here. A server that runs a command gets what is mounted and nothing else; one with a url is reached through the egress guard.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { readYaml } from '../policy/read-yaml.ts';
import { sayProblem } from '../policy/say-problem.ts';
import type { McpServerConfig, ProgramServer } from './mcp-config-format.ts';

export const MCP_FILE = 'mcp-servers.yaml';

/** Paths in it are relative to the state directory. Without the file there are none. Faults: `invalid_argument`, which names each mistake with its line. */
export async function readMcpConfig(directory: string): Promise<{ readonly servers: readonly McpServerConfig[]; readonly hash: string }> {
  const file = join(directory, MCP_FILE);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Fault('invalid_argument', `Cannot use ${file}: it cannot be read (${error.code})`, { cause: error, details: { path: file } });
  });
  if (content === undefined) return { servers: [], hash: hash('sha256', '') };
  const { mcpConfigFormat } = await import('./mcp-config-format.ts');
  const { value: read, problems } = readYaml(content, MCP_FILE, mcpConfigFormat, { isEmptyAllowed: true });
  if (read === undefined)
    throw new Fault('invalid_argument', `Cannot use ${file}: ${problems.map(sayProblem).join('; ')}`, { details: { path: file } });
  return { servers: read.servers.map((each) => withPaths(each, directory)), hash: hash('sha256', content) };
}

export function isProgram(given: McpServerConfig): given is ProgramServer {
  return 'command' in given;
}

function withPaths(given: McpServerConfig, directory: string): McpServerConfig {
  const at = (files: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([name, file]) => [name, resolve(directory, file)]));
  if (isProgram(given)) {
    const mounts = given.mounts.map((mount) => ({ ...mount, source: resolve(directory, mount.source) }));
    return { ...given, mounts, env_files: at(given.env_files) };
  }
  const signIn =
    given.oauth === undefined ? {} : { oauth: { ...given.oauth, client_secret_file: resolve(directory, given.oauth.client_secret_file) } };
  const { login } = given;
  const people =
    login?.client_secret_file === undefined
      ? {}
      : { login: { ...login, client_secret_file: resolve(directory, login.client_secret_file) } };
  return { ...given, header_files: at(given.header_files), ...signIn, ...people };
}

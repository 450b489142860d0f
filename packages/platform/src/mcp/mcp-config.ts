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
import { z } from 'zod';
import { duration } from '../policy/policy-document.ts';
import { readYaml } from '../policy/read-yaml.ts';
import { sayProblem } from '../policy/say-problem.ts';
import { MCP_LIMITS } from './mcp-limits.ts';

const MIB = 1_048_576;
const SECOND_MS = 1_000;
const CALL_MS_MAX = 3_600_000;

const path = z.string().min(1).max(4_096);
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'is not the name of a variable' });
const headerName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, { error: 'is not the name of a header' });
const value = z
  .string()
  .max(8_192)
  .refine((text) => !text.includes('\0'), { error: 'has a NUL character' });
const line = z
  .string()
  .max(8_192)
  .regex(/^[\x20-\x7e\t]*$/, { error: 'is no line of ASCII text' });

const common = {
  name: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, { error: 'is not 1 to 32 of a-z, 0-9 and _, beginning with a letter' }),
  /** Those that may be used, as the server names them. Absent: all it has. */
  tools: z.array(z.string().min(1).max(MCP_LIMITS.toolNameLengthMax)).max(MCP_LIMITS.toolsMax).optional(),
  timeout: duration.refine((ms) => ms >= SECOND_MS && ms <= CALL_MS_MAX, { error: 'is not between 1s and 1h' }).default(60_000),
  concurrency: z.int().min(1).max(64).default(4),
};

const program = z.strictObject({
  ...common,
  command: z.array(value.min(1)).min(1).max(64),
  cwd: path.startsWith('/', { error: 'is not absolute' }).optional(),
  env: z.record(environmentName, value).default({}),
  env_files: z.record(environmentName, path).default({}),
  mounts: z
    .array(
      z.strictObject({ source: path, target: path.startsWith('/', { error: 'is not absolute' }), writable: z.boolean().default(false) }),
    )
    .max(32)
    .default([]),
  memory_bytes: z
    .int()
    .min(16 * MIB)
    .max(16_384 * MIB)
    .default(512 * MIB),
  pids: z.int().min(4).max(1_024).default(128),
  cpus: z.number().min(0.1).max(16).optional(),
});

const oauth = z.strictObject({
  client_id: z.string().min(1).max(512),
  client_secret_file: path,
  scope: line.max(1_024).optional(),
  /** Hosts of the authorization server; the server's own is among them anyway. */
  hosts: z.array(z.string().min(1).max(260)).max(8).default([]),
});

const remote = z.strictObject({
  ...common,
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  headers: z.record(headerName, line).default({}),
  header_files: z.record(headerName, path).default({}),
  /** Credentials of Warren itself at the authorization server that the server names. */
  oauth: oauth.optional(),
});

const server = z.union([program, remote]);
const document = z.strictObject({ servers: z.array(server).max(MCP_LIMITS.serversMax).superRefine(refuseTaken).default([]) });

export type ProgramServer = z.output<typeof program>;
export type RemoteServer = z.output<typeof remote>;
export type McpServerConfig = ProgramServer | RemoteServer;

export const MCP_FILE = 'mcp-servers.yaml';

/** Paths in it are relative to the state directory. Without the file there are none. Faults: `invalid_argument`, which names each mistake with its line. */
export async function readMcpConfig(directory: string): Promise<{ readonly servers: readonly McpServerConfig[]; readonly hash: string }> {
  const file = join(directory, MCP_FILE);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Fault('invalid_argument', `Cannot use ${file}: it cannot be read (${error.code})`, { cause: error, details: { path: file } });
  });
  const { value: read, problems } = readYaml(content, MCP_FILE, document, { isEmptyAllowed: true });
  if (read === undefined)
    throw new Fault('invalid_argument', `Cannot use ${file}: ${problems.map(sayProblem).join('; ')}`, { details: { path: file } });
  return { servers: read.servers.map((each) => withPaths(each, directory)), hash: hash('sha256', content) };
}

export function isProgram(given: McpServerConfig): given is ProgramServer {
  return 'command' in given;
}

function refuseTaken(list: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const taken = new Set<string>();
  for (const [index, { name }] of list.entries()) {
    if (taken.has(name))
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `${JSON.stringify(name)} is taken by another` });
    taken.add(name);
  }
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
  return { ...given, header_files: at(given.header_files), ...signIn };
}

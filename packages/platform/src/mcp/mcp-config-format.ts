/** What `mcp-servers.yaml` may say, as a schema. It is loaded when there is such a file. */
import { z } from 'zod';
import { duration } from '../policy/policy-document.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { SERVER_NAME } from './server-name.ts';

const MIB = 1_048_576;
const SECOND_MS = 1_000;
const CALL_MS_MAX = 3_600_000;

const path = z.string().min(1).max(4_096);
const secretName = z.string().min(1).max(256);
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
  name: z.string().regex(SERVER_NAME, { error: 'is not 1 to 32 of a-z, 0-9 and _, beginning with a letter' }),
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
  /** Secrets of the default workspace that are bound to the capability `mcp.NAME`, NAME being that of the server. */
  env_secrets: z.record(environmentName, secretName).optional(),
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

/** Of the authorization server: the server may name no other. */
const issuer = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .optional();

const oauth = z.strictObject({
  client_id: z.string().min(1).max(512),
  client_secret_file: path,
  issuer,
  scope: line.max(1_024).optional(),
  /** Hosts of the authorization server; the server's own is among them anyway. */
  hosts: z.array(z.string().min(1).max(260)).max(8).default([]),
});

/** A person logs in for it: `warren mcp-server login`. */
const login = z.strictObject({
  /** Who Warren is at the authorization server. Absent: it is asked to say. */
  client_id: z.string().min(1).max(512).optional(),
  client_secret_file: path.optional(),
  issuer,
  scope: line.max(1_024).optional(),
  /** Hosts of the authorization server; the server's own is among them anyway. */
  hosts: z.array(z.string().min(1).max(260)).max(8).default([]),
});

const remote = z
  .strictObject({
    ...common,
    url: z.url({ protocol: /^https?$/ }).max(2_048),
    headers: z.record(headerName, line).default({}),
    header_files: z.record(headerName, path).default({}),
    /** As `env_secrets`, and bound to the host of the server. */
    header_secrets: z.record(headerName, secretName).optional(),
    /** Credentials of Warren itself at the authorization server that the server names. */
    oauth: oauth.optional(),
    login: login.optional(),
  })
  .refine((given) => given.oauth === undefined || given.login === undefined, { error: 'has both oauth and login', path: ['login'] });

const server = z.union([program, remote]);
export const mcpConfigFormat = z.strictObject({ servers: z.array(server).max(MCP_LIMITS.serversMax).superRefine(refuseTaken).default([]) });

export type ProgramServer = z.output<typeof program>;
export type RemoteServer = z.output<typeof remote>;
export type McpServerConfig = ProgramServer | RemoteServer;

function refuseTaken(list: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const taken = new Set<string>();
  for (const [index, { name }] of list.entries()) {
    if (taken.has(name))
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `${JSON.stringify(name)} is taken by another` });
    taken.add(name);
  }
}

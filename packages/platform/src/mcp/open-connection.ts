/**
 * Connects to a server: walls or the egress guard around it, bounds before the protocol, and the official client above. The client speaks both eras of the protocol. It says that it can
 * do nothing for a server, so one that asks for a model, for a person or for files is told that there is no such method.
 */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { Fault, type JsonObject, type JsonValue } from '@warren/protocol';
import type { Egress, Sandboxes } from '@warren/sandbox';
import { type ConfiguredSecret, requestTo } from '../vault/configured-secret.ts';
import { boundMessages } from './bound-messages.ts';
import { cleanText } from './clean-text.ts';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts';
import { LoginRequests } from './login-requests.ts';
import { isProgram } from './mcp-config.ts';
import type { McpServerConfig, ProgramServer, RemoteServer } from './mcp-config-format.ts';
import type { CallOptions, McpConnection } from './mcp-connection.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { areParamHeadersValid } from './param-headers.ts';
import { readSecrets, vaultSecrets } from './read-secrets.ts';
import { SandboxTransport } from './sandbox-transport.ts';
import { hostsOf, type ServerLogin } from './server-login.ts';
import { ServiceLogin } from './service-login.ts';
import { type ForeignTool, readToolList, type ToolList } from './tool-list.ts';
import { withoutSecrets } from './without-secrets.ts';

export type ConnectionParts = {
  readonly sandboxes: Sandboxes;
  readonly egress: Egress;
  readonly version: string;
  readonly now: () => number;
  /** For the operator. */
  readonly say: (message: string) => void;
  /** Says before the connection what this client can do for a server, and does it. Absent, as it is for agents: nothing. */
  readonly prepare?: ((client: Client) => void) | undefined;
  /** Of the vault. */
  readonly secretOf?: ConfiguredSecret | undefined;
  /** Of a server that a person logged in for. */
  readonly login?: ServerLogin | undefined;
};

type Sdk = typeof import('@modelcontextprotocol/client');
type Listed = { readonly name: string; readonly inputSchema: unknown };
type Opened = {
  readonly transport: Transport;
  /** What it was given and must not give back. */
  readonly secrets: () => readonly string[];
  readonly said: () => string;
  /** What an error of the protocol means here. */
  readonly explain: (error: unknown) => Promise<unknown>;
  readonly end: () => void;
};

const NAMES_SHOWN_MAX = 5;

/** `signal` ends the attempt. The caller owns the result. Throws what the sandbox, the guard or the protocol says. */
export async function openConnection(parts: ConnectionParts, server: McpServerConfig, signal: AbortSignal): Promise<McpConnection> {
  const sdk = await import('@modelcontextprotocol/client'); // Not before somebody needs it: it is large.
  try {
    return await connect(sdk, parts, server, signal, 'auto');
  } catch (error) {
    // A program may take the question for its version as an end. Then it is one that is only greeted.
    const said = error instanceof NotConnected ? error.cause : error;
    const isGone = said instanceof sdk.SdkError && (said.code === 'CONNECTION_CLOSED' || said.code === 'ERA_NEGOTIATION_FAILED');
    if (!isProgram(server) || !isGone || signal.aborted) throw error;
    return await connect(sdk, parts, server, signal, 'legacy');
  }
}

async function connect(
  sdk: Sdk,
  parts: ConnectionParts,
  server: McpServerConfig,
  signal: AbortSignal,
  mode: 'auto' | 'legacy',
): Promise<McpConnection> {
  const opened = isProgram(server) ? await openProgram(parts, server, signal) : await openRemote(sdk, parts, server);
  const connection = new SdkConnection(sdk, server, opened, parts, mode);
  try {
    await connection.connect(signal);
    return connection;
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw isProgram(server) ? new NotConnected(connection.reason, { cause: error }) : error;
  }
}

/** With what the program said, which the protocol does not know. */
class NotConnected extends Error {}

async function openProgram({ sandboxes, secretOf }: ConnectionParts, server: ProgramServer, signal: AbortSignal): Promise<Opened> {
  const use = { kind: 'program', capability: `mcp.${server.name}` } as const;
  const secrets = { ...(await readSecrets(server.env_files)), ...(await vaultSecrets(server.env_secrets, use, secretOf)) };
  const sandbox = await sandboxes.start(
    {
      profile: 'restrictive',
      mounts: server.mounts,
      limits: { memoryBytes: server.memory_bytes, pids: server.pids, ...(server.cpus !== undefined && { cpus: server.cpus }) },
      network: 'loopback',
    },
    signal,
  );
  const transport = new SandboxTransport(sandbox, { argv: server.command, cwd: server.cwd, env: { ...server.env, ...secrets } });
  return {
    transport,
    secrets: () => Object.values(secrets),
    said: () => transport.errorText,
    explain: async (error) => error,
    end: () => {},
  };
}

async function openRemote(sdk: Sdk, { egress, login, secretOf }: ConnectionParts, server: RemoteServer): Promise<Opened> {
  const ending = new AbortController();
  const send = createGuardedFetch(egress, { hosts: hostsOf(server) }, ending.signal);
  const use = requestTo(server.url, `mcp.${server.name}`);
  const secrets = { ...(await readSecrets(server.header_files)), ...(await vaultSecrets(server.header_secrets, use, secretOf)) };
  const authProvider = (await serviceLogin(sdk, server, send)) ?? login;
  const transport = new sdk.StreamableHTTPClientTransport(new URL(server.url), {
    fetch: send,
    requestInit: { headers: { ...server.headers, ...secrets } },
    redirectPolicy: 'same-origin',
    ...(authProvider !== undefined && { authProvider }),
  });
  const end = (): void => ending.abort(new Fault('aborted', 'Cannot go on: the connection is closed'));
  const all = (): readonly string[] => [...Object.values(secrets), ...(authProvider?.secrets ?? [])];
  const explain = async (error: unknown): Promise<unknown> => {
    for (let each = error; login !== undefined && each instanceof Error; each = each.cause)
      if (each instanceof sdk.InsufficientScopeError) return await login.onInsufficientScope(each);
    return error;
  };
  return { transport: transport as Transport, secrets: all, said: () => '', explain, end };
}

async function serviceLogin(sdk: Sdk, { name: server, url, oauth }: RemoteServer, send: GuardedFetch): Promise<ServiceLogin | undefined> {
  if (oauth === undefined) return undefined;
  const { secret = '' } = await readSecrets({ secret: oauth.client_secret_file });
  const requests = new LoginRequests(sdk, send);
  const { client_id: id, scope, issuer } = oauth;
  return new ServiceLogin({ ...{ server, url, requests, scope, issuer }, client: { id, secret } });
}

class SdkConnection implements McpConnection {
  onChanged = (): void => {};
  onClosed = (): void => {};
  readonly #server: McpServerConfig;
  readonly #opened: Opened;
  readonly #client: Client;
  readonly #say: (message: string) => void;
  #isClosed = false;
  #reason = '';
  /** What was said last of tools that are left out. */
  #leftOut = '';
  #closing: Promise<void> | undefined;

  constructor(sdk: Sdk, server: McpServerConfig, opened: Opened, { version, now, say, prepare }: ConnectionParts, mode: 'auto' | 'legacy') {
    this.#server = server;
    this.#opened = opened;
    this.#say = say;
    boundMessages(opened.transport, now, (reason) => this.#fail(`it ${reason}`));
    this.#client = new sdk.Client(
      { name: 'warren', version },
      {
        capabilities: {},
        versionNegotiation: { mode, probe: { timeoutMs: MCP_LIMITS.probeMs } },
        inputRequired: { autoFulfill: prepare !== undefined },
        // What comes back is held to the schema that was approved, which is not always the one the server says now.
        jsonSchemaValidator: { getValidator: () => (input: unknown) => ({ valid: true, data: input as never, errorMessage: undefined }) },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => this.onChanged() } },
      },
    );
    prepare?.(this.#client);
    this.#client.onclose = () => this.#closed();
    this.#client.onerror = (error) => {
      this.#reason ||= cleanText(this.#clean(error.message), 500);
    };
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get reason(): string {
    const said = this.#clean(this.#opened.said());
    return `${this.#reason === '' ? 'it ended' : this.#reason}${said === '' ? '' : `; it printed: ${said}`}`;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#cleaned(this.#client.connect(this.#opened.transport, { signal, timeout: MCP_LIMITS.connectMs }));
  }

  async list(signal: AbortSignal): Promise<ToolList> {
    if (this.#client.getServerCapabilities()?.tools === undefined) return readToolList(this.#server.name, []);
    return readToolList(this.#server.name, this.#usable(await this.#cleaned(this.#listed(signal))));
  }

  /** Page by page and not by the library's `listTools`, which writes what a stranger calls a tool to the standard error of the daemon. */
  async #listed(signal: AbortSignal): Promise<readonly Listed[]> {
    const tools: Listed[] = [];
    let params = {};
    for (let pages = 1; pages <= MCP_LIMITS.pagesMax; pages++) {
      const page = await this.#client.request({ method: 'tools/list', params }, { signal, timeout: MCP_LIMITS.connectMs });
      tools.push(...page.tools);
      if (page.nextCursor === undefined) return tools;
      params = { cursor: page.nextCursor };
    }
    throw new Fault(
      'too_large',
      `Cannot use the tools of the MCP server ${this.#server.name}: they fill more than ${MCP_LIMITS.pagesMax} pages`,
    );
  }

  #usable(tools: readonly Listed[]): readonly Listed[] {
    if (isProgram(this.#server) || this.#client.getProtocolEra() !== 'modern') return tools; // No headers travel with a call.
    const usable = tools.filter(({ inputSchema }) => areParamHeadersValid(inputSchema));
    const names = tools.filter((tool) => !usable.includes(tool)).map(({ name }) => JSON.stringify(cleanText(name, 64)));
    const shown = names.length > NAMES_SHOWN_MAX ? [...names.slice(0, NAMES_SHOWN_MAX), `${names.length - NAMES_SHOWN_MAX} more`] : names;
    const said = `The MCP server ${this.#server.name} has tools that are left out, for the headers they want are not valid: ${shown.join(', ')}`;
    if (names.length > 0 && said !== this.#leftOut) this.#say(said);
    this.#leftOut = said;
    return usable;
  }

  async call(tool: ForeignTool, input: JsonObject, { signal, timeoutMs, onProgress }: CallOptions) {
    const calling = this.#client.callTool(
      { name: tool.name, arguments: input },
      {
        signal,
        timeout: timeoutMs,
        maxTotalTimeout: timeoutMs,
        toolDefinition: tool as never, // The client listed it once, and took it for one.
        onprogress: ({ progress, total, message = '' }) =>
          onProgress(
            cleanText(this.#clean(message), 500),
            total !== undefined && total > 0 ? Math.min(1, Math.max(0, progress / total)) : undefined,
          ),
      },
    );
    return this.#clean(await this.#cleaned(calling));
  }

  /** What it refuses with is repeated in alerts and logs. The error stays what it is: others look at its kind. */
  async #cleaned<Result>(asked: Promise<Result>): Promise<Result> {
    try {
      return await asked;
    } catch (thrown) {
      const error = await this.#opened.explain(thrown);
      for (let each = error; each instanceof Error; each = each.cause) each.message = this.#clean(each.message);
      throw error;
    }
  }

  /** A server that repeats what it was trusted with does so to nobody. */
  #clean<Value>(value: Value): Value {
    return withoutSecrets(value as JsonValue, this.#opened.secrets()) as Value; // Results are JSON, and stay what they are.
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#client.close();
      await this.#opened.transport.close();
    } catch {
      // It is over either way; a server that does not say good-bye keeps nothing of ours.
    } finally {
      this.#opened.end();
      this.#closed();
    }
  }

  #fail(reason: string): void {
    this.#reason ||= reason;
    void this[Symbol.asyncDispose]();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClosed();
  }
}

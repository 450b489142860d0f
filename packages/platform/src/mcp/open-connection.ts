/**
 * Connects to a server: walls or the egress guard around it, bounds before the protocol, and the official client above. The client speaks both eras of the protocol. It says that it can
 * do nothing for a server, so one that asks for a model, for a person or for files is told that there is no such method.
 */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { Fault, type JsonObject, type JsonValue } from '@warren/protocol';
import type { Egress, Sandboxes } from '@warren/sandbox';
import { boundMessages } from './bound-messages.ts';
import { cleanText } from './clean-text.ts';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts';
import { LoginRequests } from './login-requests.ts';
import { isProgram } from './mcp-config.ts';
import type { McpServerConfig, ProgramServer, RemoteServer } from './mcp-config-format.ts';
import type { CallOptions, McpConnection } from './mcp-connection.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { readSecrets } from './read-secrets.ts';
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
  /** Says before the connection what this client can do for a server, and does it. Absent, as it is for agents: nothing. */
  readonly prepare?: ((client: Client) => void) | undefined;
  /** Signs in where the credentials of the file do not: gets what sends through the guard, and gives what sends with a token. */
  readonly signIn?: ((send: GuardedFetch, url: string) => GuardedFetch) | undefined;
  /** Of a server that a person logged in for. */
  readonly login?: ServerLogin | undefined;
};

type Sdk = typeof import('@modelcontextprotocol/client');
type Opened = {
  readonly transport: Transport;
  /** What it was given and must not give back. */
  readonly secrets: () => readonly string[];
  readonly said: () => string;
  readonly end: () => void;
};
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

async function openProgram({ sandboxes }: ConnectionParts, server: ProgramServer, signal: AbortSignal): Promise<Opened> {
  const secrets = await readSecrets(server.env_files);
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
  return { transport, secrets: () => Object.values(secrets), said: () => transport.errorText, end: () => {} };
}

async function openRemote(sdk: Sdk, { egress, signIn = (send) => send, login }: ConnectionParts, server: RemoteServer): Promise<Opened> {
  const ending = new AbortController();
  const send = createGuardedFetch(egress, { hosts: hostsOf(server) }, ending.signal);
  const secrets = await readSecrets(server.header_files);
  const authProvider = (await serviceLogin(sdk, server, send)) ?? login;
  const transport = new sdk.StreamableHTTPClientTransport(new URL(server.url), {
    fetch: signIn(send, server.url),
    requestInit: { headers: { ...server.headers, ...secrets } },
    redirectPolicy: 'same-origin',
    ...(authProvider !== undefined && { authProvider }),
  });
  const end = (): void => ending.abort(new Fault('aborted', 'Cannot go on: the connection is closed'));
  const all = (): readonly string[] => [...Object.values(secrets), ...(authProvider?.secrets ?? [])];
  return { transport: transport as Transport, secrets: all, said: () => '', end };
}

async function serviceLogin(sdk: Sdk, { name: server, url, oauth }: RemoteServer, send: GuardedFetch): Promise<ServiceLogin | undefined> {
  if (oauth === undefined) return undefined;
  const { secret = '' } = await readSecrets({ secret: oauth.client_secret_file });
  const requests = new LoginRequests(sdk, send);
  return new ServiceLogin({ ...{ server, url, requests, scope: oauth.scope }, client: { id: oauth.client_id, secret } });
}

class SdkConnection implements McpConnection {
  onChanged = (): void => {};
  onClosed = (): void => {};
  readonly #server: McpServerConfig;
  readonly #opened: Opened;
  readonly #client: Client;
  #isClosed = false;
  #reason = '';
  #closing: Promise<void> | undefined;

  constructor(sdk: Sdk, server: McpServerConfig, opened: Opened, { version, now, prepare }: ConnectionParts, mode: 'auto' | 'legacy') {
    this.#server = server;
    this.#opened = opened;
    boundMessages(opened.transport, now, (reason) => this.#fail(`it ${reason}`));
    this.#client = new sdk.Client(
      { name: 'warren', version },
      {
        capabilities: {},
        versionNegotiation: { mode, probe: { timeoutMs: MCP_LIMITS.probeMs } },
        inputRequired: { autoFulfill: prepare !== undefined },
        listMaxPages: MCP_LIMITS.pagesMax,
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
    const options = { signal, timeout: MCP_LIMITS.connectMs, cacheMode: 'refresh' } as const;
    const { tools } = await this.#cleaned(this.#client.listTools(undefined, options));
    return readToolList(this.#server.name, tools);
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
    } catch (error) {
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

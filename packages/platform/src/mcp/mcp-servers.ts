/**
 * Servers of MCP that an operator mounts, all of them: which there are is in a file, what was approved of each in a pin. What is approved stands in the table of capabilities whether the
 * server runs or not; what is not approved does not.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { callTool } from './call-tool.ts';
import { canonicalJson } from './canonical-json.ts';
import { cleanText } from './clean-text.ts';
import { diffTools, type ToolChange } from './diff-tools.ts';
import { findReads } from './find-reads.ts';
import { LoginStore } from './login-store.ts';
import { isProgram, readMcpConfig } from './mcp-config.ts';
import type { McpServerConfig } from './mcp-config-format.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { MountedServer, type ServerState } from './mounted-server.ts';
import { type ConnectionParts, openConnection } from './open-connection.ts';
import { type Pin, PinStore } from './pin-store.ts';
import { type LoginAnswer, ServerLogin } from './server-login.ts';
import { SERVER_NAME } from './server-name.ts';
import { createToolCapability, type MountedTool } from './tool-capability.ts';
import { type NamedTool, nameTools, type ToolList } from './tool-list.ts';

export type McpServerSummary = {
  readonly name: string;
  readonly kind: 'program' | 'http';
  readonly state: ServerState;
  /** Of the list that was approved. */
  readonly pinned: string | undefined;
  readonly approvedAt: number | undefined;
  /** Capabilities it stands for now. */
  readonly capabilities: number;
  readonly connections: number;
  readonly problem: string | undefined;
};

export type McpServerDetails = McpServerSummary & {
  /** Of the list it had when it was last looked at: what is approved by this hash. */
  readonly seen: string | undefined;
  readonly tools: readonly McpToolView[];
  /** From what was approved to what it has. */
  readonly changes: readonly ToolChange[];
};

export type McpToolView = {
  readonly tool: string;
  /** Undefined: it cannot be one; `reason` says why. */
  readonly capability: string | undefined;
  readonly reason: string | undefined;
  readonly description: string;
  readonly isRead: boolean;
};

export interface McpServers extends AsyncDisposable {
  /** For the registry. */
  mounted(): readonly MountedTool[];
  /** SHA-256 of nothing secret: file and pins. */
  readonly hash: string;
  list(): readonly McpServerSummary[];
  /** Faults: `not_found`. */
  get(name: string): McpServerDetails;
  /** Reads the file again, and asks the named server, or all, for their tools. What does not answer says why in its `problem`. Faults: `invalid_argument` (the file), `not_found`. */
  reload(name: string | undefined, signal: AbortSignal): Promise<readonly McpServerDetails[]>;
  /** Pins the list that was seen, if `hash` is the one it has. `reads`: tools whose calls change nothing, by the server's names or by those of their capabilities. Faults: `not_found`, `conflict`, `invalid_argument`. */
  approve(name: string, hash: string, reads: readonly string[]): Promise<McpServerDetails>;
  /** The address at which a person logs in for a server, from where the browser comes back to `redirect` with `state`. Faults: `not_found`, `unsupported`, `unavailable`. */
  beginLogin(name: string, redirect: string, signal: AbortSignal): Promise<{ readonly address: string; readonly state: string }>;
  /** Takes what the browser came back with; connections begin anew. Faults: `not_found`, `unsupported`, `conflict`, `unavailable`. */
  finishLogin(name: string, answer: LoginAnswer, signal: AbortSignal): Promise<void>;
  /** Ends the connections of a workspace that is being deleted. */
  stop(workspace: string): Promise<Disposable>;
  /** Ends connections that were idle for too long. A timer calls it; a test that moves the clock does too. */
  sweep(): void;
  /**
   * Takes back what was approved, forgets who logged in for it, and ends its connections; also of a server that the file has no more. Returns whether anything was. Faults:
   * `not_found`: neither the server nor anything of it is there.
   */
  revoke(name: string): Promise<boolean>;
}

export type McpServersParts = ConnectionParts & {
  readonly directory: string;
  /** A server has, or has no longer, other tools than were approved; or it is mounted no more. */
  readonly onCompared: (server: string, isChanged: boolean) => void;
  /** After what is mounted changed. */
  readonly onChange: () => Promise<void>;
};

/** Faults: `invalid_argument`: a mistake in the file. No server is started. */
export async function openMcpServers(parts: McpServersParts): Promise<McpServers> {
  const servers = new LiveMcpServers(parts);
  await servers.read();
  return servers;
}

class LiveMcpServers implements McpServers {
  readonly #parts: McpServersParts;
  readonly #pins: PinStore;
  readonly #loginStore: LoginStore;
  /** Of servers that a person logs in for. */
  readonly #logins = new Map<string, ServerLogin>();
  readonly #timer: NodeJS.Timeout;
  #servers: ReadonlyMap<string, MountedServer> = new Map();
  #tools: readonly MountedTool[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #fileHash = '';

  constructor(parts: McpServersParts) {
    this.#parts = parts;
    this.#pins = new PinStore(join(parts.directory, 'mcp-pins'));
    this.#loginStore = new LoginStore(join(parts.directory, 'mcp-logins'));
    this.#timer = setInterval(() => this.sweep(), MCP_LIMITS.sweepMs).unref();
  }

  get hash(): string {
    const pins = [...this.#servers.values()].map(({ config, pin }) => [config.name, pin?.hash ?? '', ...(pin?.reads ?? [])]);
    return createHash('sha256')
      .update(canonicalJson([this.#fileHash, pins]))
      .digest('hex');
  }

  mounted(): readonly MountedTool[] {
    return this.#tools;
  }

  list(): readonly McpServerSummary[] {
    return [...this.#servers.values()].map((server) => this.#summary(server));
  }

  get(name: string): McpServerDetails {
    return this.#details(this.#find(name));
  }

  reload(name: string | undefined, signal: AbortSignal): Promise<readonly McpServerDetails[]> {
    return this.#alone(async () => {
      signal.throwIfAborted();
      await this.read();
      const asked = name === undefined ? [...this.#servers.values()] : [this.#find(name)];
      await Promise.all(asked.map((server) => server.look(signal).catch(() => {}))); // It says why itself.
      signal.throwIfAborted();
      await this.#parts.onChange();
      return asked.map((server) => this.#details(server));
    });
  }

  approve(name: string, hash: string, reads: readonly string[]): Promise<McpServerDetails> {
    return this.#alone(async () => {
      const server = this.#find(name);
      const { seen } = server;
      if (seen === undefined)
        throw new Fault('conflict', `Cannot approve the MCP server ${name}: nobody has looked at its tools since the start`, {
          details: { fix: `warren mcp-server reload ${name}` },
        });
      if (seen.hash !== hash)
        throw new Fault(
          'conflict',
          `Cannot approve the MCP server ${name}: its tools are ${seen.hash.slice(0, 12)}…, not ${hash.slice(0, 12)}…`,
          {
            details: { fix: `warren mcp-server show ${name}` },
          },
        );
      const pin: Pin = { ...seen, reads: findReads(server.config, seen, reads), approvedAt: this.#parts.now() };
      await this.#pins.write(name, pin);
      server.approve(pin);
      await this.#mount();
      return this.#details(server);
    });
  }

  revoke(name: string): Promise<boolean> {
    return this.#alone(async () => {
      if (!SERVER_NAME.test(name)) this.#find(name); // It is part of a path.
      const server = this.#servers.get(name);
      const hadLogin = await (this.#logins.get(name)?.forget() ?? this.#loginStore.remove(name));
      const hadPin = await this.#pins.remove(name);
      if (server === undefined) {
        if (!hadPin && !hadLogin) this.#find(name);
        this.#parts.onCompared(name, false);
        return true;
      }
      server.approve(undefined);
      await this.#mount();
      server.sweep(Number.POSITIVE_INFINITY);
      return hadPin || hadLogin;
    });
  }

  async beginLogin(name: string, redirect: string, signal: AbortSignal): Promise<{ readonly address: string; readonly state: string }> {
    return await this.#login(name).begin(redirect, signal);
  }

  async finishLogin(name: string, answer: LoginAnswer, signal: AbortSignal): Promise<void> {
    await this.#login(name).finish(answer, signal);
    this.#find(name).restart();
  }

  /** Servers whose entry in the file is as it was go on. */
  async read(): Promise<void> {
    const { servers, hash } = await readMcpConfig(this.#parts.directory);
    const before = this.#servers;
    const next = new Map<string, MountedServer>();
    for (const config of servers) {
      const known = before.get(config.name);
      next.set(config.name, known !== undefined && isSame(known.config, config) ? known : await this.#make(config));
    }
    this.#servers = next;
    this.#fileHash = hash;
    this.#tools = [...next.values()].flatMap((server) => this.#toolsOf(server));
    for (const server of before.values()) {
      const { name } = server.config;
      if (next.get(name) === server) continue;
      if (!next.has(name)) await this.#endLogin(name);
      void server[Symbol.asyncDispose]();
      if (!next.has(name)) this.#parts.onCompared(name, false);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
    await Promise.all([...this.#servers.values(), ...this.#logins.values()].map((each) => each[Symbol.asyncDispose]()));
  }

  async #make(config: McpServerConfig): Promise<MountedServer> {
    const { now, say } = this.#parts;
    const pin = await this.#pins.read(config.name);
    const login = await this.#makeLogin(config);
    return new MountedServer(
      {
        ...{ config, now, say },
        open: (given, signal) => openConnection({ ...this.#parts, login }, given, signal),
        makeRoom: () => this.#makeRoom(),
        onCompared: (isChanged) => this.#parts.onCompared(config.name, isChanged),
      },
      pin,
    );
  }

  async #makeLogin(config: McpServerConfig): Promise<ServerLogin | undefined> {
    await this.#endLogin(config.name);
    if (isProgram(config) || config.login === undefined) return undefined;
    const { egress, now } = this.#parts;
    const made = new ServerLogin({ config: { ...config, login: config.login }, store: this.#loginStore, egress, now });
    this.#logins.set(config.name, made);
    return made;
  }

  /** What it is doing must not write over what the next one of the name does. */
  async #endLogin(name: string): Promise<void> {
    const ended = this.#logins.get(name);
    this.#logins.delete(name);
    await ended?.[Symbol.asyncDispose]();
  }

  async #mount(): Promise<void> {
    this.#tools = [...this.#servers.values()].flatMap((server) => this.#toolsOf(server));
    await this.#parts.onChange();
  }

  #toolsOf(server: MountedServer): readonly MountedTool[] {
    const { config, pin } = server;
    if (pin === undefined) return [];
    return nameTools(config.name, pin, config.tools).flatMap(({ tool, name }) =>
      name.kind === 'refused'
        ? []
        : [createToolCapability(config, pin, tool, name.capability, (context) => callTool(server, pin, tool, context, this.#parts.now))],
    );
  }

  #login(name: string): ServerLogin {
    this.#find(name);
    const login = this.#logins.get(name);
    if (login !== undefined) return login;
    throw new Fault('unsupported', `Cannot log in for the MCP server ${name}: mcp-servers.yaml has no login for it`, {
      details: { fix: 'add `login: {}` to it, and: warren mcp-server reload' },
    });
  }

  #find(name: string): MountedServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new Fault(
      'not_found',
      `Cannot find the MCP server ${JSON.stringify(cleanText(name, 64))}: mcp-servers.yaml has none of that name`,
    );
  }

  #summary(server: MountedServer): McpServerSummary {
    const { config, state, pin, connections, problem } = server;
    return {
      ...{ name: config.name, kind: isProgram(config) ? 'program' : 'http', state, connections, problem },
      pinned: pin?.hash,
      approvedAt: pin?.approvedAt,
      capabilities: pin === undefined ? 0 : nameTools(config.name, pin, config.tools).filter(({ name }) => name.kind === 'named').length,
    };
  }

  #details(server: MountedServer): McpServerDetails {
    const { config, pin, seen } = server;
    const shown: ToolList | undefined = seen ?? pin;
    return {
      ...this.#summary(server),
      seen: seen?.hash,
      tools: shown === undefined ? [] : nameTools(config.name, shown, config.tools).map((tool) => viewOf(tool, pin)),
      changes: pin === undefined || seen === undefined ? [] : diffTools(pin.tools, seen.tools),
    };
  }

  #makeRoom(): void {
    const servers = [...this.#servers.values()];
    if (servers.reduce((sum, { connections }) => sum + connections, 0) < MCP_LIMITS.connectionsMax) return;
    const [oldest] = servers.filter(({ idleSince }) => idleSince !== undefined).sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    if (oldest === undefined)
      throw new Fault('busy', `Cannot start the MCP server: ${MCP_LIMITS.connectionsMax} connections are in use, which is the limit`);
    oldest.sweep(oldest.idleSince ?? 0);
  }

  async stop(workspace: string): Promise<Disposable> {
    for (const server of this.#servers.values()) await server.endIn(workspace);
    return { [Symbol.dispose]() {} };
  }

  sweep(): void {
    const before = this.#parts.now() - MCP_LIMITS.idleMs;
    for (const server of this.#servers.values()) server.sweep(before);
  }

  #alone<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => {}); // Whoever asked for it has its error.
    return result;
  }
}

function viewOf({ tool, name }: NamedTool, pin: Pin | undefined): McpToolView {
  const description = tool['description'];
  return {
    tool: cleanText(tool.name, MCP_LIMITS.toolNameLengthMax),
    capability: name.kind === 'named' ? name.capability : undefined,
    reason: name.kind === 'refused' ? name.reason : undefined,
    description: typeof description === 'string' ? cleanText(description) : '',
    isRead: pin?.reads.includes(tool.name) === true,
  };
}

function isSame(one: McpServerConfig, other: McpServerConfig): boolean {
  return JSON.stringify(one) === JSON.stringify(other); // Both were made by the same schema, with the same order.
}

/**
 * The official clients, as little of them as is used here. They are loaded by name, so that their types, which are many and large, are nobody's concern; what is asked
 * of them is in `OfficialClient`.
 */
type Tool = { readonly name: string; readonly description?: string; readonly inputSchema: object; readonly annotations?: object };
type Content = { readonly type: string; readonly text?: string };
export type ToolResult = {
  readonly content: readonly Content[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
};

export interface OfficialClient {
  connect(transport: object): Promise<void>;
  listTools(): Promise<{ readonly tools: readonly Tool[] }>;
  callTool(call: { readonly name: string; readonly arguments: object; readonly _meta?: object }): Promise<ToolResult>;
  listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>;
  readResource(request: { readonly uri: string }): Promise<{ readonly contents: readonly { readonly text?: string }[] }>;
  ping(): Promise<unknown>;
  getServerVersion(): { readonly name: string } | undefined;
  close(): Promise<void>;
}

/** A module of the official libraries: constructors by name. */
type Module = Readonly<Record<string, new (...args: readonly unknown[]) => unknown>>;

async function load(name: string): Promise<Module> {
  return (await import(name)) as Module; // By its documentation.
}

function make<T>(module: Module, name: string, ...args: readonly unknown[]): T {
  const Constructor = module[name];
  if (Constructor === undefined) throw new Error(`The library has no ${name}`);
  return new Constructor(...args) as T; // By its documentation.
}

const INFO = { name: 'interoperability', version: '1.0.0' };

export type Way =
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

/** Version 1 of the library: the versions of the protocol with sessions. */
export async function connectFirst(way: Way, options: object = {}): Promise<OfficialClient> {
  const sdk = '@modelcontextprotocol/sdk/client';
  const client = make<OfficialClient>(await load(`${sdk}/index.js`), 'Client', INFO, options);
  await client.connect(
    way.kind === 'http'
      ? make(await load(`${sdk}/streamableHttp.js`), 'StreamableHTTPClientTransport', new URL(way.url), {
          requestInit: { headers: way.headers },
        })
      : make(await load(`${sdk}/stdio.js`), 'StdioClientTransport', { ...way, stderr: 'pipe' }),
  );
  return client;
}

/** Version 2: `pin` for the version of the protocol without sessions, otherwise whichever the two agree on. */
export async function connectSecond(way: Way, mode: object | 'auto' | 'legacy', options: object = {}): Promise<OfficialClient> {
  const library = await load('@modelcontextprotocol/client');
  const client = make<OfficialClient>(library, 'Client', INFO, { ...options, versionNegotiation: { mode } });
  await client.connect(
    way.kind === 'http'
      ? make(library, 'StreamableHTTPClientTransport', new URL(way.url), { requestInit: { headers: way.headers } })
      : make(await load('@modelcontextprotocol/client/stdio'), 'StdioClientTransport', { ...way, stderr: 'pipe' }),
  );
  return client;
}

/** Version 1 over a WebSocket. Its transport has no way to send a header, so the socket it makes sends them. */
export async function connectFirstBySocket(url: string, headers: Readonly<Record<string, string>>): Promise<OfficialClient> {
  const { WebSocket: Socket } = await import('ws');
  const client = make<OfficialClient>(await load('@modelcontextprotocol/sdk/client/index.js'), 'Client', INFO, {});
  const before = globalThis.WebSocket;
  const Authorized = class extends Socket {
    constructor(address: string, protocol: string) {
      super(address, protocol, { headers });
    }
  };
  globalThis.WebSocket = Authorized as unknown as typeof globalThis.WebSocket; // As much of one as the transport needs.
  try {
    await client.connect(make(await load('@modelcontextprotocol/sdk/client/websocket.js'), 'WebSocketClientTransport', new URL(url)));
  } finally {
    globalThis.WebSocket = before;
  }
  return client;
}

/** Mounted servers as tests need them: a folder that is a state directory, real sandboxes, a real guard, and the server of this folder. */
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActContext, Acted } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject, type JsonValue } from '@warren/protocol';
import type { Sandboxes } from '@warren/sandbox';
import { createEgress } from '@warren/sandbox/egress';
import { TemporaryDirectory } from '@warren/testkit';
import { type McpServers, openMcpServers } from '../mcp-servers.ts';

export const NEVER: AbortSignal = new AbortController().signal;

export function tool(name: string, more: JsonObject = {}): JsonObject {
  return { name, description: `Does ${name}`, inputSchema: { type: 'object' }, ...more };
}

export type Mounted = AsyncDisposable & {
  readonly servers: McpServers;
  readonly directory: string;
  /** What the server in the folder offers from now on. */
  offer(tools: readonly JsonValue[]): Promise<void>;
  /** Looks at a server and approves what it has. */
  approve(name?: string, reads?: readonly string[]): Promise<void>;
  call(capability: string, input?: JsonObject, changes?: Partial<ActContext>): Promise<Acted>;
  readonly said: readonly string[];
  /** Of which server it was said whether its tools are other ones. */
  readonly compared: readonly (readonly [string, boolean])[];
  /** Moves the clock. */
  pass(ms: number): void;
};

export type MountedOptions = {
  readonly sandboxes: Sandboxes;
  readonly tools?: readonly JsonValue[];
  /** Of the file; `@` stands for the folder with the server. */
  readonly file?: string;
  readonly privateNetworks?: readonly string[];
};

const PROGRAM = `servers:
  - name: test
    command: [python3, /srv/test/server.py]
    mounts: [{ source: server, target: /srv/test, writable: true }]
`;

export async function mount({ sandboxes, tools = [], file = PROGRAM, privateNetworks = [] }: MountedOptions): Promise<Mounted> {
  await using opening = new AsyncDisposableStack();
  const folder = opening.use(await TemporaryDirectory.create());
  const directory = folder.path;
  await chmod(directory, 0o755);
  await mkdir(join(directory, 'server'), { mode: 0o777 });
  await chmod(join(directory, 'server'), 0o777);
  await copyFile(join(import.meta.dirname, 'server.py'), join(directory, 'server', 'server.py'));
  await writeFile(join(directory, 'mcp-servers.yaml'), file);
  const offer = async (offered: readonly JsonValue[]): Promise<void> => {
    await writeFile(join(directory, 'server', 'tools.json'), JSON.stringify(offered));
    await chmod(join(directory, 'server', 'tools.json'), 0o666);
  };
  await offer(tools);
  const egress = opening.use(createEgress({ privateNetworks }));
  const said: string[] = [];
  const compared: (readonly [string, boolean])[] = [];
  let moved = 0;
  const servers = opening.use(
    await openMcpServers({
      ...{ directory, sandboxes, egress, version: '0.0.0' },
      now: () => Date.now() + moved,
      say: (message) => said.push(message),
      onCompared: (server, isChanged) => compared.push([server, isChanged]),
      onChange: async () => {},
    }),
  );
  const opened = opening.move();
  return {
    ...{ servers, directory, offer, said, compared },
    async approve(name = 'test', reads = []) {
      const [server] = await servers.reload(name, NEVER);
      if (server?.seen === undefined) throw new Error(`${name} does not answer: ${server?.problem}`);
      await servers.approve(name, server.seen, reads);
    },
    async call(name, input = {}, changes = {}) {
      const capability = servers.mounted().find(({ definition }) => definition.name === name)?.capability;
      if (capability === undefined) throw new Error(`There is no ${name}`);
      return await capability.act({
        ...{ actor: { workspace: DEFAULT_WORKSPACE, pid: 1, agent: 'ada' }, callId: 'call_1', input, facts: capability.facts(input) },
        ...{ signal: NEVER, taint: [], deadlineAt: Date.now() + moved + 20_000, progress: () => {}, redact: (text) => text },
        ...changes,
      });
    },
    pass(ms) {
      moved += ms;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

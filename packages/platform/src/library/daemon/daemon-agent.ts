/**
 * An agent of a run, as a process of the daemon. The model thinks here; each call it asks for is made there with the token of the process, which is good for calls of this agent and for nothing else, so that the
 * gate decides as it does for every agent.
 */
import { connect } from '@warren/client';
import { Fault, isFault, type JsonObject, type JsonValue } from '@warren/protocol';
import type { CallAnswer } from '@warren/protocol/contract';
import type { ModelTool } from '../../model/model.ts';
import type { AgentSeat } from '../backend.ts';
import { AGENT_GRANTS } from '../embedded/embedded-agent.ts';
import type { CallDaemon } from './call-daemon.ts';

export async function openDaemonAgent(call: CallDaemon, socketPath: string, agent: string): Promise<AgentSeat> {
  const pid = await startAgent(call, agent);
  const end = async (): Promise<void> => {
    await call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  };
  try {
    const { token } = await call('token.create', { pid, label: `run of agent ${agent} in another process` });
    return createSeat(connect({ socketPath, token, timeoutMs: 0 }), end);
  } catch (error) {
    await end().catch(() => {}); // The caller has the error that matters.
    throw error;
  }
}

function createSeat(client: ReturnType<typeof connect>, end: () => Promise<void>): AgentSeat {
  const capabilities = new Map<string, string>();
  return {
    async tools() {
      const { tools, names } = await client.call('tool.list', { format: 'mcp' });
      for (const { name, capability } of names) if (capability !== null) capabilities.set(name, capability);
      return tools.map(readTool);
    },
    capabilityOf: (tool) => capabilities.get(tool) ?? tool,
    call: async (name, input, signal) => toldOf(await client.call('tool.call', { name, arguments: input }, { signal })),
    async close() {
      await client.close();
      await end();
    },
  };
}

async function startAgent(call: CallDaemon, agent: string): Promise<number> {
  try {
    return (await call('agent.start', { agent })).pid;
  } catch (error) {
    if (!isFault(error, 'not_found')) throw error;
    const { tools, paths, hosts } = AGENT_GRANTS;
    const grants = { tool_grants: [...tools], fs_grants: paths.map((path) => ({ ...path })), net_grants: [...hosts] };
    return (await call('agent.start', { agent, ...grants })).pid;
  }
}

function readTool({ name, description, inputSchema }: JsonObject): ModelTool {
  if (typeof name === 'string' && typeof description === 'string' && typeof inputSchema === 'object')
    return { name, description, inputSchema: inputSchema as JsonObject }; // A schema is an object.
  throw new Fault('protocol_error', 'Cannot read what an agent may call: the daemon lists what is no tool');
}

function toldOf({ state, output, error, call_id, approval_id }: CallAnswer): JsonValue {
  switch (state) {
    case 'done':
      return output;
    case 'pending':
      return { pending: { call_id, approval_id } };
    case 'failed':
      return { error: { type: error?.type ?? 'Unknown', message: error?.agent_message ?? 'The call failed' } };
    default:
      return state satisfies never;
  }
}

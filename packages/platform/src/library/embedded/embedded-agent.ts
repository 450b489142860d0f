/** Agents of runs, as processes of this kernel. */
import type { Answer, GrantSet } from '@warren/kernel';
import { isFault, type JsonValue, type WorkspaceId } from '@warren/protocol';
import { toolDescription } from '../../capability/describe-capability.ts';
import { capabilityName, toolName } from '../../capability/tool-name.ts';
import type { Platform } from '../../platform.ts';
import type { AgentSeat } from '../backend.ts';

/** Of an agent that nobody keeps: what policy says decides; it reaches no host unless somebody grants one. */
export const AGENT_GRANTS = {
  tools: ['*'],
  paths: [{ prefix: '/', mode: 'rw' }],
  hosts: [],
} as const satisfies Partial<GrantSet>;

export async function openEmbeddedAgent(
  id: WorkspaceId,
  { agents, gate, capabilities }: Pick<Platform, 'agents' | 'gate' | 'capabilities'>,
  agent: string,
): Promise<AgentSeat> {
  const { pid } = await agents.start(id, { agent }).catch((error: unknown) => {
    if (isFault(error, 'not_found')) return agents.start(id, { agent, grants: AGENT_GRANTS });
    throw error;
  });
  const capabilityOf = (tool: string): string => capabilityName(tool, () => capabilities.definitions().map(({ name }) => name));
  return {
    async tools() {
      return (await gate.offered(id, pid)).flatMap(({ name }) => {
        const definition = capabilities.findDefinition(name);
        if (definition === undefined) return []; // It was taken away just now.
        return [{ name: toolName(name), description: toolDescription(definition), inputSchema: definition.inputSchema }];
      });
    },
    capabilityOf,
    call: async (tool, input, signal) => toldOf(await gate.call(id, { pid, capability: capabilityOf(tool), input }, signal)),
    close: () => agents.close(id, pid),
  };
}

function toldOf(answer: Answer): JsonValue {
  switch (answer.kind) {
    case 'done':
      return answer.output;
    case 'pending':
      return { pending: { call_id: answer.callId, approval_id: answer.approvalId } };
    case 'failed':
      return { error: { type: answer.error.type, message: answer.error.agentMessage } };
    default:
      return answer satisfies never;
  }
}

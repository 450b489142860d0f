import type { AgentRecord, AgentTerms, Kernel, WorkspaceKernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { NewToken, Params, Result } from '@warren/protocol/contract';
import type { Call, Handler } from './handler.ts';
import { toAgent } from './record/agent.ts';
import { toToken } from './record/token.ts';
import { toMsIfGiven } from './time.ts';

type Names = 'agent.create' | 'agent.get' | 'agent.update' | 'agent.rotate_token' | 'agent.revoke' | 'agent.restore' | 'agent.delete';

/** Agents as they are kept; those of processes stand in `agent-run.ts`. */
export function createAgentRecordHandlers({ tokens }: Kernel, platform: () => Platform): { readonly [Name in Names]: Handler<Name> } {
  const shown = async ({ processes }: WorkspaceKernel, agent: AgentRecord) => toAgent(agent, await processes.isPaused(agent.name));

  const makeToken = async (agent: string, expiresAt: number | undefined, { workspace, caller }: Call): Promise<NewToken> => {
    const { token, record } = await tokens.create(
      { kind: 'agent', workspace, agent },
      { owner: caller.name, expiresAt: toMsIfGiven(expiresAt) },
    );
    return { ...toToken(record), token };
  };

  return {
    async 'agent.create'({ agent, expires_at, ...terms }, call) {
      const given = fromTerms(terms);
      platform().agents.check({ agent, ...given });
      const made = await call.mine.agents.create(agent, given);
      return { agent: await shown(call.mine, made), token: await makeToken(agent, expires_at, call) };
    },

    async 'agent.get'({ agent }, { mine }) {
      return await shown(mine, await mine.agents.get(agent));
    },

    async 'agent.update'({ agent, ...terms }, { mine }) {
      const before = await mine.agents.get(agent);
      const given = fromTerms(terms, before);
      platform().agents.check({ agent, ...given });
      return await shown(mine, await mine.agents.update(agent, given));
    },

    async 'agent.rotate_token'({ agent, expires_at }, call) {
      await call.mine.agents.get(agent);
      const before = await validTokens(tokens, call.workspace, agent);
      const made = await makeToken(agent, expires_at, call);
      // Not before there is another: who asked would be left with none.
      for (const id of before) await tokens.revoke(id);
      return made;
    },

    async 'agent.revoke'({ agent }, { mine }) {
      return { agent, changed: await mine.agents.revoke(agent) };
    },

    async 'agent.restore'({ agent, expires_at }, call) {
      if (await call.mine.agents.restore(agent)) return await makeToken(agent, expires_at, call);
      throw new Fault('conflict', `Cannot restore agent ${agent}: it is not revoked; \`warren agent rotate-token\` makes it a new token`, {
        details: { agent },
      });
    },

    async 'agent.delete'({ agent }, { mine }) {
      await mine.agents.delete(agent);
      return { agent, deleted: true };
    },
  };
}

type Terms = Omit<Params<'agent.update'>, 'agent'>;

/** Grants are one set: what is left out of it is as it was. */
function fromTerms(
  { purpose, budgets, tool_grants, fs_grants, net_grants, model_grants, sub_agent }: Terms,
  before?: AgentRecord,
): AgentTerms {
  const given = { tools: tool_grants, paths: fs_grants, hosts: net_grants, models: model_grants, subAgents: sub_agent };
  const isNamed = Object.values(given).some((each) => each !== undefined);
  return {
    purpose,
    budgets,
    grants: isNamed
      ? { ...before?.grants, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
      : undefined,
  };
}

async function validTokens(
  tokens: Kernel['tokens'],
  workspace: WorkspaceId,
  agent: string,
): Promise<readonly Result<'token.create'>['token_id'][]> {
  const mine = await tokens.list(workspace);
  return mine.flatMap(({ id, principal, revokedAt }) =>
    principal.kind === 'agent' && principal.agent === agent && revokedAt === undefined ? [id] : [],
  );
}

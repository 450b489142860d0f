/** `agent.*`: what an agent knows of itself. */
import type { HandlerContext, Handlers } from '../../capability/handler.ts';
import { CapabilityError } from '../../capability/handler.ts';
import { isoOf } from '../internal/iso-time.ts';
import type { AgentParts } from './agent-parts.ts';
import { createBriefing } from './briefing.ts';

const WORKSPACE = '/workspace';

export function createAgentHandlers(parts: AgentParts): Handlers {
  return {
    'agent.whoami': async (_, context) => {
      const { agent, createdAt, metadata } = await processOf(context);
      const [purpose, group] = [metadata['purpose'], metadata['policy_group']];
      const identity = {
        agent_name: agent ?? '',
        purpose: typeof purpose === 'string' ? purpose : '',
        policy_group: typeof group === 'string' ? group : '',
      };
      return { output: { ...identity, workspace_path: WORKSPACE, created_at: isoOf(createdAt) } };
    },

    'agent.capabilities': async ({ category }, { actor }) => {
      const offers = await parts.offered(actor.workspace, actor.pid);
      const wanted =
        typeof category === 'string' && category !== '' ? offers.filter(({ name }) => name.startsWith(`${category}.`)) : offers;
      const capabilities = wanted.flatMap(({ name, tier }) => {
        const definition = parts.definition(name);
        return definition === undefined ? [] : [{ name, purpose: definition.purpose, permission_tier: tier, tags: definition.tags }];
      });
      return { output: { capabilities, total: capabilities.length } };
    },

    'agent.session': async (_, context) => {
      const { mine, actor } = context;
      const { createdAt } = await processOf(context);
      const ledger = await mine.ledger.list({ kind: 'process', pid: actor.pid });
      const used = (dim: string): number => ledger.find((entry) => entry.dim === dim)?.used ?? 0;
      const grants = await mine.grants.find(actor.pid);
      const { usedBytes, limitBytes } = await mine.state.quota({ kind: 'session', pid: actor.pid });
      const paths = grants?.paths ?? [];
      return {
        output: {
          session_id: `process-${actor.pid}`,
          connected_at: isoOf(createdAt),
          duration_seconds: Math.max(0, (parts.now() - createdAt) / 1_000),
          invocation_count: used('tool_calls'),
          resource_usage: {
            cpu_ms: used('cpu_s') * 1_000,
            memory_bytes: used('memory_bytes'),
            io_bytes_read: 0,
            io_bytes_written: used('fs_w_bytes'),
          },
          workspace_path: WORKSPACE,
          state_quota: { used_bytes: usedBytes, limit_bytes: limitBytes, percent: limitBytes === 0 ? 0 : (usedBytes / limitBytes) * 100 },
          scope: {
            read: paths.filter(({ mode }) => mode === 'r').map(({ prefix }) => prefix),
            write: paths.filter(({ mode }) => mode === 'rw').map(({ prefix }) => prefix),
            hosts: grants?.hosts ?? [],
            capabilities: grants?.tools ?? [],
            models: grants?.models ?? [],
          },
          budgets: ledger.map(({ dim, used: amount, granted }) => ({ dimension: dim, used: amount, limit: granted })),
        },
      };
    },

    'agent.policy': async ({ capability }, { actor }) => {
      const { rules, defaultTier } = parts.rules(actor.workspace, actor.agent);
      const isAbout = (pattern: string): boolean => typeof capability !== 'string' || capability === '' || covers(pattern, capability);
      return { output: { policy_group: '', rules: rules.filter((rule) => isAbout(rule.capability)), default_tier: defaultTier } };
    },

    'agent.briefing': async ({ detail_level: level }, context) => {
      const { createdAt } = await processOf(context);
      return { output: { briefing: await createBriefing(parts, context, createdAt, level === 'detailed') } };
    },
  };
}

async function processOf({ mine, actor }: HandlerContext) {
  const process = await mine.processes.find(actor.pid);
  if (process === undefined) throw new CapabilityError('SessionError', 'Cannot say who this is: the process is gone');
  return process;
}

function covers(pattern: string, name: string): boolean {
  return pattern === '*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1)));
}

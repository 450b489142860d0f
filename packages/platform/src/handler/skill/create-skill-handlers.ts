/** `skill.*`: what the agents of a workspace can have done by skills. Names and descriptions are offered first; instructions are read when one is used. */
import { isFault } from '@warren/protocol';
import { CapabilityError, type Handlers } from '../../capability/handler.ts';
import { SkillNetwork } from '../../egress/skill-network.ts';
import type { Skill, Skills } from '../../skill/skill.ts';

export function createSkillHandlers({ skills }: { readonly skills: Pick<Skills, 'list' | 'get' | 'enabledIn' | 'run'> }): Handlers {
  return {
    'skill.list': async (_, { actor }) => {
      const enabled = await enabledSkills(skills, actor.workspace);
      const shown = enabled.map((skill) => ({ name: skill.id, description: skill.description, runnable: isRunnable(skill) }));
      return { output: { skills: shown, count: shown.length } };
    },

    'skill.describe': async ({ name }, { actor }) => {
      const shown = JSON.stringify(String(name));
      const skill = await skills.get(String(name)).catch((cause: unknown) => {
        if (!isFault(cause, 'not_found')) throw cause;
        throw new CapabilityError('SkillNotFound', `Cannot describe skill ${shown}: there is none of this name`, {
          context: { skill: String(name) },
          cause,
        });
      });
      if (!(await skills.enabledIn(actor.workspace)).includes(skill.id))
        throw new CapabilityError('SkillNotEnabled', `Cannot describe skill ${shown}: it is not enabled in this workspace`, {
          context: { skill: skill.id },
        });
      const { hosts = [], allowedTools = [], timeoutMs } = skill.manifest ?? {};
      return {
        output: {
          name: skill.id,
          description: skill.description,
          instructions: isApproved(skill) ? skill.instructions : '',
          runnable: isRunnable(skill),
          hosts,
          allowed_tools: allowedTools,
          timeout_seconds: timeoutMs === undefined ? null : timeoutMs / 1_000,
        },
      };
    },

    'skill.run': async ({ name, params }, { actor, mine, signal }) => {
      await using network = new SkillNetwork(mine, actor.pid);
      const run = await skills.run({
        workspace: actor.workspace,
        id: String(name),
        params: params as object as { [name: string]: never },
        network,
        signal,
      }); // The definition says that it is an object.
      return {
        output: { result: run.result, log: run.log, duration_ms: run.durationMs },
        usage: { cpu_s: Math.ceil(run.cpuSeconds) },
      };
    },
  };
}

/** Those that are as they were approved: what somebody changed since says nothing to a model. */
export async function enabledSkills(
  skills: Pick<Skills, 'list' | 'enabledIn'>,
  workspace: Parameters<Skills['enabledIn']>[0],
): Promise<readonly Skill[]> {
  const enabled = await skills.enabledIn(workspace);
  return (await skills.list()).filter((skill) => enabled.includes(skill.id) && isApproved(skill));
}

function isApproved({ state }: Skill): boolean {
  return state === 'approved';
}

function isRunnable(skill: Skill): boolean {
  return isApproved(skill) && skill.program !== undefined;
}

import { isAbsolute } from 'node:path';
import type { Kernel } from '@warren/kernel';
import { CapabilityError, type Platform } from '@warren/platform';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { toSkill, toSkillSummary } from './record/skill.ts';

export function createSkillHandlers({ workspaces }: Pick<Kernel, 'workspaces'>, platform: () => Platform): HandlersOf<'skill.'> {
  /** A workspace that does not exist is not made by asking about it. */
  const enabledIn = async (workspace: WorkspaceId): Promise<readonly string[]> => {
    await workspaces.get(workspace);
    return await platform().skills.enabledIn(workspace);
  };
  return {
    async 'skill.list'(_, { workspace }) {
      const enabled = await enabledIn(workspace);
      return { skills: (await platform().skills.list()).map((skill) => toSkillSummary(skill, enabled)) };
    },

    async 'skill.get'({ name }, { workspace }) {
      const enabled = await enabledIn(workspace);
      return toSkill(await platform().skills.get(name), enabled);
    },

    async 'skill.add'({ path }, { workspace, signal }) {
      if (!isAbsolute(path) || path.includes('\0'))
        throw new Fault('invalid_argument', 'Cannot add the skill: path: it is not an absolute one on the machine of the daemon', {
          details: { field: 'path' },
        });
      const enabled = await enabledIn(workspace);
      return toSkill(await platform().skills.add(path, signal()), enabled);
    },

    async 'skill.approve'({ name, hash }, { workspace }) {
      const enabled = await enabledIn(workspace);
      return toSkill(await platform().skills.approve(name, hash), enabled);
    },

    async 'skill.remove'({ name }) {
      try {
        await platform().skills.remove(name);
        return { removed: true };
      } catch (error) {
        if (isFault(error, 'not_found')) return { removed: false };
        throw error;
      }
    },

    async 'skill.enable'({ name }, { workspace }) {
      await workspaces.get(workspace);
      return { changed: await platform().skills.enable(workspace, name) };
    },

    async 'skill.disable'({ name }, { workspace }) {
      await workspaces.get(workspace);
      return { changed: await platform().skills.disable(workspace, name) };
    },

    async 'skill.test'({ name, params }, { workspace, signal }) {
      const { skills } = platform();
      await workspaces.get(workspace);
      await skills.get(name);
      try {
        const { result, log, durationMs } = await skills.run({ workspace, id: name, params, signal: signal(), isTrial: true });
        return { output: { result, log, duration_ms: durationMs }, error: null };
      } catch (error) {
        if (!(error instanceof CapabilityError)) throw error;
        const { type, message, context = null } = error;
        return { output: null, error: { type, message, context } };
      }
    },
  };
}

/** What the commands about skills do. Each loads only what it needs: what is done through the daemon loads no sandbox. */
import type { Host } from './internal/host.ts';
import type { SkillActions } from './program/skill-commands.ts';

/** `end` gets the exit code. */
export function skillActions(host: Host, end: (code: number) => void): SkillActions {
  return {
    skillNew: async (name, flags) => {
      const { skillNew } = await import('./commands/skill-folder.ts');
      end(await skillNew(name, flags, host));
    },
    skillTest: async (target, flags) => {
      if (isFolder(target)) {
        const { skillTestFolder } = await import('./commands/skill-folder.ts');
        return end(await skillTestFolder(target, flags, host));
      }
      const { skillTest } = await import('./commands/skill.ts');
      end(await skillTest(target, flags, host));
    },
    skillAdd: async (folder, flags) => {
      const { skillAdd } = await import('./commands/skill.ts');
      end(await skillAdd(folder, flags, host));
    },
    skillList: async (flags) => {
      const { skillList } = await import('./commands/skill.ts');
      end(await skillList(flags, host));
    },
    skillShow: async (name, flags) => {
      const { skillShow } = await import('./commands/skill.ts');
      end(await skillShow(name, flags, host));
    },
    skillApprove: async (name, flags) => {
      const { skillApprove } = await import('./commands/skill.ts');
      end(await skillApprove(name, flags, host));
    },
    skillEnable: async (name, flags) => {
      const { skillEnable } = await import('./commands/skill.ts');
      end(await skillEnable(name, flags, host));
    },
    skillDisable: async (name, flags) => {
      const { skillDisable } = await import('./commands/skill.ts');
      end(await skillDisable(name, flags, host));
    },
    skillRemove: async (name, flags) => {
      const { skillRemove } = await import('./commands/skill.ts');
      end(await skillRemove(name, flags, host));
    },
    skillRun: async (name, flags) => {
      const { skillRun } = await import('./commands/skill.ts');
      end(await skillRun(name, flags, host));
    },
  };
}

/** No name has a slash or a dot. */
function isFolder(target: string): boolean {
  return target.includes('/') || target.startsWith('.');
}

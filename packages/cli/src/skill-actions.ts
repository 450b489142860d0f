/** What the commands about skills do. Each loads only what it needs: what is done through the daemon loads no sandbox. */
import type { Host } from './internal/host.ts';
import { lazyCommands } from './internal/lazy-command.ts';
import type { SkillActions } from './program/skill-commands.ts';

/** `end` gets the exit code. */
export function skillActions(host: Host, end: (code: number) => void): SkillActions {
  const command = lazyCommands(host, end);
  return {
    skillNew: command(() => import('./commands/skill-folder.ts'), 'skillNew'),
    skillTest: async (target, flags) => {
      if (isFolder(target)) {
        const { skillTestFolder } = await import('./commands/skill-folder.ts');
        return end(await skillTestFolder(target, flags, host));
      }
      const { skillTest } = await import('./commands/skill.ts');
      end(await skillTest(target, flags, host));
    },
    skillAdd: command(() => import('./commands/skill.ts'), 'skillAdd'),
    skillList: command(() => import('./commands/skill.ts'), 'skillList'),
    skillShow: command(() => import('./commands/skill.ts'), 'skillShow'),
    skillApprove: command(() => import('./commands/skill.ts'), 'skillApprove'),
    skillEnable: command(() => import('./commands/skill.ts'), 'skillEnable'),
    skillDisable: command(() => import('./commands/skill.ts'), 'skillDisable'),
    skillRemove: command(() => import('./commands/skill.ts'), 'skillRemove'),
    skillRun: command(() => import('./commands/skill.ts'), 'skillRun'),
  };
}

/** No name has a slash or a dot. */
function isFolder(target: string): boolean {
  return target.includes('/') || target.startsWith('.');
}

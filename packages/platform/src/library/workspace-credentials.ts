/**
 * Credentials of skills on the vault: each value is a secret of its own, named after its skill and bound to it, so that a sandbox of another skill never gets it. Who embeds Warren gave the values and may read them again.
 */
import { isFault } from '@warren/protocol';
import type { CredentialSecrets, SecretsBackend } from './backend.ts';
import type { WorkspaceCredentials } from './embedded-platform.ts';
import { checkSkillId } from './skill-folder.ts';

const PAGE = 1_000;

export function createWorkspaceCredentials({ unlocked, locked }: SecretsBackend): WorkspaceCredentials {
  const namesOf = async (vault: CredentialSecrets, skillId?: string): Promise<readonly string[]> => {
    const names: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await vault.list({ limit: PAGE, after });
      names.push(
        ...page.map(({ name }) => name).filter((name) => name.includes('/') && (skillId === undefined || name.startsWith(`${skillId}/`))),
      );
      after = page.at(-1)?.name;
      if (page.length < PAGE || after === undefined) return names;
    }
  };
  return {
    async store(skillId, values) {
      checkSkillId(skillId);
      const vault = await unlocked();
      for (const [key, value] of Object.entries(values)) await vault.set(`${skillId}/${key}`, value, skillId);
      for (const name of await namesOf(vault, skillId)) {
        if (!Object.hasOwn(values, name.slice(skillId.length + 1))) await vault.delete(name);
      }
    },

    async resolve(skillId) {
      if (typeof skillId !== 'string') return undefined;
      checkSkillId(skillId);
      const vault = await unlocked();
      const found: [string, string][] = [];
      for (const name of await namesOf(vault, skillId)) {
        using value = await vault.use(name, { kind: 'skill', skill: skillId });
        if (value !== undefined) found.push([name.slice(skillId.length + 1), Buffer.from(value.bytes).toString()]);
      }
      return found.length === 0 ? undefined : Object.fromEntries(found);
    },

    async delete(skillId) {
      checkSkillId(skillId);
      const vault = await locked();
      const names = await namesOf(vault, skillId);
      for (const name of names) {
        await vault.delete(name).catch((error: unknown) => {
          if (!isFault(error, 'not_found')) throw error; // Somebody else was faster.
        });
      }
      return names.length > 0;
    },

    async list() {
      const names = await namesOf(await locked());
      return [...new Set(names.map((name) => name.slice(0, name.indexOf('/'))))].toSorted();
    },
  };
}

/** Skills as folders with a SKILL.md, and which of them a workspace may use. Looked at anew each time: they are few, and people add to them. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { readSkillManifest } from '../skill/read-manifest.ts';
import { isSkillId, SKILL_FILE, SKILL_FILE_BYTES_MAX } from '../skill/skill.ts';
import type { SkillEntry, SkillRegistry, WorkspaceSkills } from './embedded-platform.ts';
import { type KeptConfig, readWorkspaceConfig, writeWorkspaceConfig } from './workspace-config-file.ts';

export function openSkillFolder(folder: string): SkillRegistry {
  const get = (id: string): SkillEntry | undefined => {
    if (!isSkillId(id)) return undefined;
    const path = join(folder, id);
    const text = readSkillFile(join(path, SKILL_FILE));
    return text === undefined ? undefined : { id, ...describe(id, text), path };
  };
  return {
    get,
    list() {
      const names = readNames(folder);
      return names.flatMap((id) => get(id) ?? []).toSorted((one, other) => (one.id < other.id ? -1 : 1));
    },
  };
}

/** `folder`: of the workspace. */
export function createWorkspaceSkills(folder: string, registry: SkillRegistry): WorkspaceSkills {
  const read = (): { readonly config: KeptConfig; readonly enabled: readonly string[] } => {
    const config = readWorkspaceConfig(folder);
    return { config, enabled: config.skills?.enabled ?? [] };
  };
  const write = (config: KeptConfig, enabled: readonly string[]): void =>
    writeWorkspaceConfig(folder, { ...config, skills: { ...config.skills, enabled } });
  const enabledIds = (): string[] => [...read().enabled];
  return {
    enable(id) {
      if (registry.get(id) === undefined) return false;
      const { config, enabled } = read();
      if (!enabled.includes(id)) write(config, [...enabled, id]);
      return true;
    },
    disable(id) {
      const { config, enabled } = read();
      if (!enabled.includes(id)) return false;
      write(config, enabled.filter((each) => each !== id)); // biome-ignore format: one line
      return true;
    },
    isEnabled: (id) => enabledIds().includes(id),
    listEnabled: () => enabledIds().flatMap((id) => registry.get(id) ?? []),
    listEnabledIds: enabledIds,
  };
}

export function checkSkillId(id: unknown): string {
  if (isSkillId(id)) return id;
  throw new Fault(
    'invalid_argument',
    `Cannot use ${JSON.stringify(String(id).slice(0, 80))} as the id of a skill: it is not 1 to 128 of letters, digits, _ and -`,
    {
      details: { field: 'skillId' },
    },
  );
}

function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // There are none.
  }
}

/** Undefined when there is none. One that is a link, a pipe or a device is none. */
function readSkillFile(path: string): string | undefined {
  try {
    const found = lstatSync(path);
    return found.isFile() && found.size <= SKILL_FILE_BYTES_MAX ? readFileSync(path, 'utf8').toWellFormed() : undefined;
  } catch {
    return undefined;
  }
}

/** Its name is its first heading. Without front matter that can be used its first line that is no heading describes it. */
function describe(id: string, text: string): { readonly name: string; readonly description: string } {
  const read = readSkillManifest(id, text);
  const heading = read.instructions.split('\n').find((line) => line.startsWith('# '));
  return { name: heading?.slice(2).trim() ?? id, description: read.kind === 'read' ? read.manifest.description : read.description };
}

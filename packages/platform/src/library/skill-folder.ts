/** Skills as folders with a SKILL.md, and which of them a workspace may use. Looked at anew each time: they are few, and people add to them. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { readSkillManifest } from '../skill/read-manifest.ts';
import { isSkillId, SKILL_FILE, SKILL_FILE_BYTES_MAX } from '../skill/skill.ts';
import type { SkillsBackend } from './backend.ts';
import type { SkillEntry, SkillRegistry, WorkspaceSkills } from './embedded-platform.ts';
import type { SkillChanges } from './skill-changes.ts';
import { readWorkspaceConfig } from './workspace-config-file.ts';

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

export type WorkspaceSkillsParts = {
  readonly workspace: WorkspaceId;
  /** Of the workspace. */
  readonly folder: string;
  readonly registry: SkillRegistry;
  readonly backend: SkillsBackend;
  readonly changes: SkillChanges;
};

export function createWorkspaceSkills({ workspace, folder, registry, backend, changes }: WorkspaceSkillsParts): WorkspaceSkills {
  const enabledIds = (): string[] => changes.with(workspace, readWorkspaceConfig(folder).skills?.enabled ?? []);
  return {
    enable(id) {
      if (registry.get(id) === undefined) return false;
      changes.note(workspace, id, true, () => backend.enable(id));
      return true;
    },
    disable(id) {
      if (!enabledIds().includes(id)) return false;
      changes.note(workspace, id, false, () => backend.disable(id));
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

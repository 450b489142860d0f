/** Tries a skill where somebody writes it: what is run is a copy, in a workspace of its own that is empty and has no secrets; nothing of it stays. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import type { Sandboxes } from '@warren/sandbox';
import { openSkills } from './open-skills.ts';
import type { SkillRun } from './skill.ts';

export type SkillTry = {
  readonly folder: string;
  readonly params: JsonObject;
  readonly sandboxes: Sandboxes;
  readonly signal: AbortSignal;
};

/** Throws as `Skills.add` and `Skills.run` do. */
export async function trySkill({ folder, params, sandboxes, signal }: SkillTry): Promise<SkillRun> {
  const directory = await mkdtemp(join(tmpdir(), 'warren-skill-'));
  try {
    const files = join(directory, 'files');
    await mkdir(files);
    using skills = await openSkills({
      ...{ sandboxes, folder: join(directory, 'skills'), privateNetworks: [], isWatching: false },
      directoryOf: () => directory,
      filesOf: () => files,
      useSecret: async () => undefined,
      say: () => {},
    });
    const { id } = await skills.add(folder, signal);
    return await skills.run({ workspace: DEFAULT_WORKSPACE, id, params, signal, isTrial: true });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

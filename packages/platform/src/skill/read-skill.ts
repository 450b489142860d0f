/** A skill as it stands in its folder: what it says of itself, its program and the hash of all of it. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { hashPack } from '../pack/hash-pack.ts';
import { readSkillManifest } from './read-manifest.ts';
import { EXECUTABLE_NAMES, SKILL_FILE, SKILL_FILE_BYTES_MAX, type Skill } from './skill.ts';

/** `approved`: the hash that people looked at, if they did. `hashOf`: of all that is in a folder. Throws `not_found` when there is no such folder, and what the disk throws. */
export async function readSkill(
  folder: string,
  id: string,
  approved: string | undefined,
  hashOf: (folder: string) => Promise<string> = hashPack,
): Promise<Skill> {
  const hashed = await hashIfBounded(folder, hashOf);
  const hash = hashed.hash ?? '';
  const state = approved === undefined ? 'unapproved' : approved === hash ? 'approved' : 'changed';
  const base = { id, hash, manifest: undefined, program: undefined } as const;
  if (hashed.hash === undefined) return { ...base, state: 'broken', description: '', instructions: '', problems: [hashed.problem] };
  const file = await readPlainFile(join(folder, SKILL_FILE), { bytesMax: SKILL_FILE_BYTES_MAX, mayBeLink: false });
  if (file.kind === 'refused')
    return {
      ...base,
      state: 'broken',
      description: '',
      instructions: '',
      problems: [`${SKILL_FILE} ${file.code === 'not_found' ? 'is not there' : file.reason}`],
    };
  const read = readSkillManifest(id, file.bytes.toString('utf8').toWellFormed());
  const { instructions } = read;
  if (read.kind === 'refused') return { ...base, state: 'broken', description: read.description, instructions, problems: read.problems };
  const { manifest } = read;
  const found = await findProgram(folder, manifest.executable?.[0]);
  const problems = found.problem === undefined ? [] : [found.problem];
  return { id, hash, state, manifest, description: manifest.description, instructions, problems, program: found.program };
}

/** One that somebody put there may be larger than any may be; the others are still listed. */
async function hashIfBounded(
  folder: string,
  hashOf: (folder: string) => Promise<string>,
): Promise<{ readonly hash: string } | { readonly hash?: undefined; readonly problem: string }> {
  try {
    return { hash: await hashOf(folder) };
  } catch (error) {
    if (isFault(error, 'too_large')) return { problem: error.message.replace('Cannot install the pack: ', '') };
    throw error;
  }
}

/** A program without a slash that is not in the folder is one of the system. A link is none: what it leads to is not what was approved. */
async function findProgram(
  folder: string,
  declared: string | undefined,
): Promise<{ readonly program?: string; readonly problem?: string }> {
  for (const name of declared === undefined ? EXECUTABLE_NAMES : [declared.replace(/^\.\//, '')]) {
    const kind = await kindOf(folder, name);
    if (kind === 'file') return { program: name };
    if (kind !== 'absent') return { problem: `its program ${JSON.stringify(name)} is ${kind}, not a plain file of the skill` };
    if (declared !== undefined)
      return declared.includes('/') || declared.includes('.')
        ? { problem: `its program ${JSON.stringify(name)} is not there` }
        : { program: declared };
  }
  return {};
}

/** Of a name within the folder; on the way to it no link is followed either. */
async function kindOf(folder: string, name: string): Promise<string> {
  const parts = name.split('/');
  if (name.startsWith('/') || parts.includes('..')) return 'outside of its folder';
  for (let length = 1; length <= parts.length; length++) {
    const found = await lstat(join(folder, ...parts.slice(0, length))).catch(() => undefined); // What cannot be looked at cannot be run.
    if (found === undefined) return 'absent';
    if (found.isSymbolicLink()) return 'a link';
    if (length === parts.length) return found.isFile() ? 'file' : 'a directory or something special';
  }
  return 'absent';
}

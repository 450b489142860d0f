import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import type { Definition, Problem } from '../capability/definition.ts';
import { LIMITS } from '../capability/limits.ts';
import { type DefinitionSet, type DefinitionText, loadDefinitions, readDefinitionTexts } from '../capability/load-definitions.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { MANIFEST_FILE, type PackManifest, readManifest } from './pack-manifest.ts';

/** The category of tools of servers that are mounted. */
const MOUNTED = 'mcp';

export type ReadPack =
  | { readonly kind: 'read'; readonly manifest: PackManifest; readonly definitions: readonly Definition[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/** Reads a pack that is installed. Nothing is thrown for what is wrong with it. */
export async function readPack(folder: string, name: string, builtin: DefinitionSet): Promise<ReadPack> {
  const file = `${name}/${MANIFEST_FILE}`;
  try {
    const manifest = await readPlainFile(join(folder, MANIFEST_FILE), { bytesMax: LIMITS.fileBytesMax, mayBeLink: false });
    if (manifest.kind === 'refused') return refused(file, manifest.reason);
    const text = manifest.bytes.toString('utf8');
    const read = readManifest(file, text);
    if (read.kind === 'refused') return read;
    const shown = `${name}/${read.manifest.definitions}`;
    return checkPack(file, text, await readDefinitionTexts(join(folder, read.manifest.definitions), shown), builtin, name);
  } catch (error) {
    return refused(file, isFault(error) ? error.message : 'cannot be read');
  }
}

/** Whether what a pack says of itself and of its capabilities holds together. `name`: what it has to be named; any when absent. */
export function checkPack(
  file: string,
  manifestText: string,
  texts: readonly DefinitionText[],
  builtin: DefinitionSet,
  name?: string,
): ReadPack {
  const read = readManifest(file, manifestText);
  if (read.kind === 'refused') return read;
  const { manifest } = read;
  if (name !== undefined && manifest.name !== name)
    return refused(file, `names the pack ${manifest.name}, but it is in the folder ${name}`, 'name');
  if (manifest.name === MOUNTED || [...builtin.definitions.keys()].some((each) => each.startsWith(`${manifest.name}.`))) {
    return refused(file, `is ${manifest.name}, which is a category of Warren itself`, 'name');
  }
  const set = loadDefinitions(texts, builtin, manifest.name);
  if (set.problems.length > 0) return { kind: 'refused', problems: set.problems };
  if (set.definitions.size === 0) return refused(file, `names ${manifest.definitions}, where no capability is defined`, 'definitions');
  return { kind: 'read', manifest, definitions: [...set.definitions.values()] };
}

export function refused(file: string, reason: string, field = ''): Extract<ReadPack, { readonly kind: 'refused' }> {
  return { kind: 'refused', problems: [{ severity: 'error', file, line: 1, field, reason }] };
}

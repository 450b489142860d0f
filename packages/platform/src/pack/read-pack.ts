/** Reads packs: their definitions, and what is wrong with them. It is loaded when there is a pack: with what it needs it takes as long as all else of a start. */
import { dirname, join, posix } from 'node:path';
import { isFault } from '@warren/protocol';
import type { Definition, Problem } from '../capability/definition.ts';
import { LIMITS } from '../capability/limits.ts';
import { type DefinitionSet, type DefinitionText, loadDefinitions, readDefinitionTexts } from '../capability/load-definitions.ts';
import { problemText } from '../capability/problem-text.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { hashPack } from './hash-pack.ts';
import type { PackFile } from './pack-files.ts';
import { MANIFEST_FILE, type PackManifest, readManifest, refusePack } from './pack-manifest.ts';

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

/** The same, and a hash of all its files. */
export async function readPackWithHash(folder: string, name: string, builtin: DefinitionSet) {
  const read = await readPack(folder, name, builtin);
  if (read.kind === 'refused') return read;
  try {
    return { ...read, hash: await hashPack(folder) };
  } catch (error) {
    return refused(`${name}/${MANIFEST_FILE}`, isFault(error) ? error.message : 'has files that cannot be read');
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

/** The same of files that are to be installed. Throws `invalid_argument` with all that is wrong with them. */
export function checkPackFiles(
  files: readonly PackFile[],
  builtin: DefinitionSet,
): { readonly manifest: PackManifest; readonly definitions: readonly Definition[] } {
  const textOf = (file: PackFile): string => new TextDecoder().decode(file.bytes);
  const manifestFile = files.find(({ path }) => path === MANIFEST_FILE);
  if (manifestFile === undefined) return refusePack('', [`it has no ${MANIFEST_FILE}`]);
  const said = readManifest(MANIFEST_FILE, textOf(manifestFile));
  if (said.kind === 'refused') return refusePack('', said.problems.map(problemText));
  const folder = posix.normalize(said.manifest.definitions).replace(/\/$/, '');
  const texts = files
    .filter(({ path }) => dirname(path) === folder && /\.ya?ml$/.test(path))
    .map((file) => ({ file: file.path, text: textOf(file) }));
  const read = checkPack(MANIFEST_FILE, textOf(manifestFile), texts, builtin);
  if (read.kind === 'refused') return refusePack('', read.problems.map(problemText));
  const [program = ''] = read.manifest.executable;
  const own = files.find(({ path }) => path === program.replace(/^\.\//, ''));
  if (program.includes('/') && own === undefined) return refusePack(read.manifest.name, [`it has no program ${program}`]);
  if (program.includes('/') && own?.isExecutable === false)
    return refusePack(read.manifest.name, [`its program ${program} is not executable`]);
  return read;
}

function refused(file: string, reason: string, field = ''): Extract<ReadPack, { readonly kind: 'refused' }> {
  return { kind: 'refused', problems: [{ severity: 'error', file, line: 1, field, reason }] };
}

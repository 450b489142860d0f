/**
 * The seal: what a run changed, and what the host had at each of those paths, fixed once when the run has ended. From then on it says what may
 * be applied, and whether the host is still as the run saw it. The layer is not written to after the run, so it is not copied here.
 */
import { closeSync, readFileSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import { type BytePath, pathToJson, readPath } from './byte-path.ts';
import { hashContent } from './content.ts';
import type { HeldRun, RecordChanges } from './held-run.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { readBigInt, readBoolean, readFields, readInteger, readOneOf, ShapeError } from './internal/shape.ts';
import { writeAtomically } from './internal/write-atomically.ts';
import { type FileState, type PathState, readState, stateToJson } from './path-state.ts';
import { removeTree } from './remove-tree.ts';
import type { RunRecord } from './run-record.ts';
import { CHANGES_MAX, type Change, type OpaqueProbe, scanLayer } from './scan.ts';
import { Tree } from './tree.ts';

export type SealedChange = Change & {
  /** The host's own file was changed after the run began; nobody knows which version the run saw. */
  readonly isChangedDuringRun: boolean;
};

export type Manifest = {
  /** When it was made, by the clock that stamps files. */
  readonly sealedNs: bigint;
  /** Sorted by path. */
  readonly changes: readonly SealedChange[];
};

export type SealOptions = { readonly probe: OpaqueProbe; readonly signal?: AbortSignal };

const LINES_PER_WRITE = 1_000;
/** Of a run that changed nothing; the record alone says so. */
const EMPTY: Manifest = { sealedNs: 0n, changes: [] };

/**
 * Seals the layer of a run, or reads the seal it has, and records that, together with what `also` says (the end of the run).
 * Throws `not_found` for a dropped layer, `too_large`, `permission_denied`, `storage_full`.
 */
export async function sealLayer(held: HeldRun, options: SealOptions, also: RecordChanges = {}): Promise<Manifest> {
  refuseDropped(held.record);
  if (held.record.layer.state === 'empty') return EMPTY;
  const manifest = readManifest(held.paths.manifest) ?? (await makeManifest(held, options));
  const changes = manifest.changes.length;
  if (held.record.layer.changes !== changes || also.status !== undefined) {
    held.save({ ...also, layer: { changes, ...(changes === 0 ? { state: 'empty' } : {}) } });
    if (changes === 0) await removeTree(held.paths.layer, new Pace());
  }
  return manifest;
}

/** The seal of a run, if it has one. Throws `internal` when it is damaged. */
export function readManifest(path: string): Manifest | undefined {
  try {
    const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
    const fields = readFields(JSON.parse(head ?? ''), 'manifest', ['version', 'sealedNs', 'changes']);
    readOneOf(`${fields['version']}`, 'version', ['1']);
    if (readInteger(fields['changes'], 'changes', CHANGES_MAX) !== lines.length) throw new ShapeError('it has another number of lines');
    const changes = lines.map((line, index) => readChange(JSON.parse(line), `line ${index + 2}`));
    return { sealedNs: readBigInt(fields['sealedNs'], 'sealedNs'), changes };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault('internal', `Cannot read the list of changes ${path}: ${reason}. Next: rm ${path}, and the layer is read again`, {
      cause: error,
    });
  }
}

export function refuseDropped(record: RunRecord): void {
  if (record.layer.state === 'dropped')
    throw new Fault('not_found', `The layer of run ${record.id} was dropped`, { details: { runId: record.id } });
}

async function makeManifest(held: HeldRun, { probe, signal }: SealOptions): Promise<Manifest> {
  const { record, paths } = held;
  const pace = new Pace(signal);
  try {
    using upper = Tree.open(paths.upper, { isOurs: true });
    using lower = Tree.open(record.directory);
    const startedNs = BigInt(record.startedNs);
    const changes: SealedChange[] = [];
    for (const change of await scanLayer({ upper, lower, probe, pace })) changes.push(await seal(change, lower, startedNs, pace));
    if (changes.length === 0) return EMPTY;
    const manifest = { sealedNs: BigInt(Date.now()) * 1_000_000n, changes };
    writeAtomically(paths.manifest, manifestToText(manifest));
    return manifest;
  } catch (error) {
    throw fileFault(error, `Cannot read the layer of run ${record.id} over ${record.directory}`);
  }
}

async function seal(change: Change, lower: Tree, startedNs: bigint, pace: Pace): Promise<SealedChange> {
  if (change.before?.kind !== 'file') return { ...change, isChangedDuringRun: false };
  const before = (await readWithHash(lower, change.path, pace)) ?? change.before;
  return { ...change, before, isChangedDuringRun: before.ctimeNs > startedNs };
}

/** The state of a file with the hash of its content; without one when we may not read it. `undefined`: no file there. */
export async function readWithHash(tree: Tree, path: BytePath, pace: Pace): Promise<FileState | undefined> {
  const state = tree.state(path);
  if (state?.kind !== 'file') return undefined;
  let file: number;
  try {
    file = tree.openFile(path);
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return state;
    throw error;
  }
  try {
    return { ...state, sha256: await hashContent(file, state.size, pace) };
  } finally {
    closeSync(file);
  }
}

function* manifestToLines(manifest: Manifest): Generator<string> {
  yield JSON.stringify({ version: 1, sealedNs: `${manifest.sealedNs}`, changes: manifest.changes.length });
  for (const change of manifest.changes) {
    yield JSON.stringify({
      path: pathToJson(change.path),
      ...(change.before === undefined ? {} : { before: stateToJson(change.before) }),
      ...(change.after === undefined ? {} : { after: stateToJson(change.after) }),
      ...(change.isSameContent ? { isSameContent: true } : {}),
      ...(change.isChangedDuringRun ? { isChangedDuringRun: true } : {}),
    });
  }
}

function manifestToText(manifest: Manifest): readonly string[] {
  const lines = [...manifestToLines(manifest)];
  const parts: string[] = [];
  for (let at = 0; at < lines.length; at += LINES_PER_WRITE) parts.push(`${lines.slice(at, at + LINES_PER_WRITE).join('\n')}\n`);
  return parts;
}

function readChange(value: unknown, where: string): SealedChange {
  const fields = readFields(value, where, ['path'], ['before', 'after', 'isSameContent', 'isChangedDuringRun']);
  const state = (key: string): PathState | undefined => (fields[key] === undefined ? undefined : readState(fields[key], `${where}.${key}`));
  const flag = (key: string): boolean => fields[key] !== undefined && readBoolean(fields[key], `${where}.${key}`);
  return {
    path: readPath(fields['path'], `${where}.path`),
    before: state('before'),
    after: state('after'),
    isSameContent: flag('isSameContent'),
    isChangedDuringRun: flag('isChangedDuringRun'),
  };
}

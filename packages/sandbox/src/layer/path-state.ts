/** What stands at a path, as far as a review cares: kind, permissions, content. Nothing there is `undefined`. */
import { type BigIntStats, readlinkSync } from 'node:fs';
import { type BytePath, type PathJson, pathFromBytes, pathToJson, readBytes } from './byte-path.ts';
import { type Fields, readBigInt, readFields, readInteger, readMatch, readOneOf, ShapeError } from './internal/shape.ts';

const SPECIAL_KINDS = ['fifo', 'socket', 'character_device', 'block_device'] as const;
export type SpecialKind = (typeof SPECIAL_KINDS)[number];

export type FileState = {
  readonly kind: 'file';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly size: number;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Present once the content was read. */
  readonly sha256?: string;
};
export type DirectoryState = { readonly kind: 'directory'; readonly mode: number };
export type SymlinkState = { readonly kind: 'symlink'; readonly target: BytePath };
export type SpecialState = { readonly kind: SpecialKind; readonly mode: number };
export type PathState = FileState | DirectoryState | SymlinkState | SpecialState;

/**
 * A directory's setuid and setgid bits are left alone: setgid is inherited from the parent and gives nobody a right, so it is neither
 * seen as a change nor set.
 */
const DIRECTORY_MODE = 0o1777;
export const SET_ID = 0o6000;

export function isSpecial(state: PathState | undefined): state is SpecialState {
  return state !== undefined && state.kind !== 'file' && state.kind !== 'directory' && state.kind !== 'symlink';
}

/** Reads the state from what lstat said; `at` is only followed to read a link. */
export function stateFromStat(stat: BigIntStats, at: Buffer): PathState {
  const mode = Number(stat.mode & 0o7777n);
  if (stat.isFile()) {
    return { kind: 'file', mode, size: Number(stat.size), ino: stat.ino, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
  }
  if (stat.isDirectory()) return { kind: 'directory', mode: mode & DIRECTORY_MODE };
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: pathFromBytes(readlinkSync(at, { encoding: 'buffer' })) };
  if (stat.isFIFO()) return { kind: 'fifo', mode };
  if (stat.isSocket()) return { kind: 'socket', mode };
  return { kind: stat.isBlockDevice() ? 'block_device' : 'character_device', mode };
}

/** How overlayfs writes "this name is gone" into the upper directory (Documentation/filesystems/overlayfs.rst, whiteouts). */
export function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}

/** Whether a file was not touched between two looks. Cheap, and may say no of an equal file. */
export function isSameInode(left: FileState, right: FileState): boolean {
  return (
    left.ino === right.ino &&
    left.ctimeNs === right.ctimeNs &&
    left.mtimeNs === right.mtimeNs &&
    left.size === right.size &&
    left.mode === right.mode
  );
}

/** Equal to somebody who looks at kind, permissions and content. Files are equal only when both contents were read. */
export function isEqualState(left: PathState | undefined, right: PathState | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.kind === 'file' && right.kind === 'file') {
    return left.mode === right.mode && left.size === right.size && left.sha256 !== undefined && left.sha256 === right.sha256;
  }
  if (left.kind === 'symlink' && right.kind === 'symlink') return left.target === right.target;
  return left.kind === right.kind && left.kind !== 'symlink' && right.kind !== 'symlink' && left.mode === right.mode;
}

/**
 * Whether the host stands at a recorded state. A file whose content we may not read is known by its inode and when it was written; the ctime
 * is left out, for it moves when a file is renamed or kept.
 */
export function isAtState(host: PathState | undefined, recorded: PathState | undefined): boolean {
  if (host?.kind !== 'file' || recorded?.kind !== 'file' || host.sha256 !== undefined) return isEqualState(host, recorded);
  return isSameInode({ ...host, ctimeNs: 0n }, { ...recorded, ctimeNs: 0n });
}

export type PathStateJson = {
  readonly kind: PathState['kind'];
  readonly mode?: number;
  readonly size?: number;
  readonly ino?: string;
  readonly mtimeNs?: string;
  readonly ctimeNs?: string;
  readonly sha256?: string;
  readonly target?: PathJson;
};

export function stateToJson(state: PathState): PathStateJson {
  switch (state.kind) {
    case 'file':
      return { ...state, ino: `${state.ino}`, mtimeNs: `${state.mtimeNs}`, ctimeNs: `${state.ctimeNs}` };
    case 'symlink':
      return { kind: 'symlink', target: pathToJson(state.target) };
    case 'directory':
    case 'fifo':
    case 'socket':
    case 'character_device':
    case 'block_device':
      return state;
    default:
      return state satisfies never;
  }
}

export function readState(value: unknown, where: string): PathState {
  const { kind } = value !== null && typeof value === 'object' ? (value as Fields) : {}; // readFields below checks the rest.
  switch (readOneOf(kind, `${where}.kind`, ['file', 'directory', 'symlink', ...SPECIAL_KINDS])) {
    case 'file':
      return readFileState(value, where);
    case 'symlink':
      return { kind: 'symlink', target: readBytes(readFields(value, where, ['kind', 'target'])['target'], `${where}.target`) };
    case 'directory':
      return { kind: 'directory', mode: readMode(readFields(value, where, ['kind', 'mode']), where) };
    default: {
      const special = SPECIAL_KINDS.find((one) => one === kind);
      if (special === undefined) throw new ShapeError(`${where}.kind is unknown`);
      return { kind: special, mode: readMode(readFields(value, where, ['kind', 'mode']), where) };
    }
  }
}

function readFileState(value: unknown, where: string): FileState {
  const fields = readFields(value, where, ['kind', 'mode', 'size', 'ino', 'mtimeNs', 'ctimeNs'], ['sha256']);
  return {
    kind: 'file',
    mode: readMode(fields, where),
    size: readInteger(fields['size'], `${where}.size`),
    ino: readBigInt(fields['ino'], `${where}.ino`),
    mtimeNs: readBigInt(fields['mtimeNs'], `${where}.mtimeNs`),
    ctimeNs: readBigInt(fields['ctimeNs'], `${where}.ctimeNs`),
    ...(fields['sha256'] === undefined ? {} : { sha256: readMatch(fields['sha256'], `${where}.sha256`, /^[0-9a-f]{64}$/) }),
  };
}

function readMode(fields: Fields, where: string): number {
  return readInteger(fields['mode'], `${where}.mode`, 0o7777);
}

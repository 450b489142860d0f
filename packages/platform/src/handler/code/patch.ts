/** `code.patch`: a unified diff over several files, all or none. */
import { posix } from 'node:path';
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { moveToTrash, ownerOf } from '../filesystem/trash.ts';
import { makeDirectory } from '../filesystem/write.ts';
import { AgentFiles, quoted } from '../internal/agent-files.ts';
import { textOrError } from '../internal/file-text.ts';
import { type FileChange, writeAll } from '../internal/write-all.ts';
import { applyHunks } from './apply-hunks.ts';
import { type FilePatch, parsePatch, reversePatch } from './parse-patch.ts';

type PatchInput = {
  readonly patch: string;
  readonly path: string;
  readonly strip?: number | null;
  readonly reverse: boolean;
  readonly dry_run: boolean;
};

export const APPLY_LIMITS = { fileBytesMax: 16_777_216, bytesMax: 67_108_864 } as const;

type Action = 'modify' | 'create' | 'delete' | 'rename';
type Planned = { readonly path: string; readonly action: Action; readonly changes: readonly FileChange[]; readonly about: JsonObject };
type Conflict = { readonly path: string; readonly hunk: number; readonly reason: string };

export async function patch(input: PatchInput, context: HandlerContext, now: () => number): Promise<HandlerResult> {
  const parsed = parsePatch(input.patch);
  if (parsed.kind === 'parse_error')
    return { output: { outcome: 'parse_error', files: [], hint: `the patch cannot be understood: ${parsed.hint}` } };
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'rw');
  await files.directory(root);
  const planned: Planned[] = [];
  const conflicts: Conflict[] = [];
  const seen = new Set<string>();
  let bytesLeft: number = APPLY_LIMITS.bytesMax;
  for (const filePatch of parsed.files.map((file) => (input.reverse ? reversePatch(file) : file))) {
    const names = { before: nameOf(filePatch.oldName, input.strip), after: nameOf(filePatch.newName, input.strip) };
    const plan = await planFile(files, root, filePatch, names);
    if ('reason' in plan) {
      conflicts.push(plan);
      continue;
    }
    for (const { path, before, after } of plan.changes) {
      if (seen.has(path)) return { output: { outcome: 'parse_error', files: [], hint: `${quoted(path)} is in the patch more than once` } };
      seen.add(path);
      bytesLeft -= Math.max(before?.length ?? 0, after?.length ?? 0);
    }
    if (bytesLeft < 0)
      throw new CapabilityError('FileTooLarge', `Cannot change so much at once: the limit is ${APPLY_LIMITS.bytesMax} bytes`, {
        context: { path: root },
      });
    planned.push(plan);
  }
  const listed = planned.map(({ about }) => about);
  if (conflicts.length > 0)
    return {
      output: { outcome: 'conflict', files: listed, conflicts, hint: 'nothing was written; read the files again and make a new patch' },
    };
  if (input.dry_run) return { output: { outcome: 'would_apply', files: listed } };
  const changes = planned.flatMap((plan) => plan.changes);
  for (const { path, before } of changes) if (before === undefined) await makeDirectory(files, posix.dirname(path), true, 'ParentNotFound');
  const isDeleted = new Set(planned.filter(({ action }) => action === 'delete').map(({ path }) => path));
  const remove = (path: string): Promise<unknown> =>
    isDeleted.has(path) ? moveToTrash(files, path, ownerOf(context), now()) : files.remove(path);
  const written = await writeAll(files, changes, remove);
  return { output: { outcome: 'applied', files: listed }, usage: { fs_w_bytes: written } };
}

/** Throws `PathOutOfScope` for a name that leaves the directory. */
function nameOf(name: string | undefined, strip: number | null | undefined): string | undefined {
  if (name === undefined) return undefined;
  const parts = name.split('/');
  const stripped =
    strip === null || strip === undefined
      ? parts.length > 1 && /^[ab]$/.test(parts[0] ?? '')
        ? parts.slice(1)
        : parts
      : parts.slice(strip);
  if (stripped.length === 0 || name.includes('\0') || stripped.some((part) => part === '' || part === '.' || part === '..')) {
    throw new CapabilityError('PathOutOfScope', `Cannot use the name ${quoted(name)} of the patch: it has to stay below the directory`, {
      context: { path: name.slice(0, 500) },
    });
  }
  return stripped.join('/');
}

type Names = { readonly before: string | undefined; readonly after: string | undefined };

async function planFile(
  files: AgentFiles,
  root: string,
  { isRename, mode, hunks }: FilePatch,
  { before, after }: Names,
): Promise<Planned | Conflict> {
  const oldPath = before === undefined ? undefined : await locateBelow(files, root, before);
  const newPath = after === undefined ? undefined : await locateBelow(files, root, after);
  const path = newPath ?? oldPath ?? root;
  const action: Action =
    oldPath === undefined ? 'create' : newPath === undefined ? 'delete' : isRename && oldPath !== newPath ? 'rename' : 'modify';
  // Without a rename two names are one file under the names of two versions of it.
  const source = action === 'modify' ? newPath : oldPath;
  const entry = source === undefined ? undefined : await files.find(source);
  if (source !== undefined && entry?.kind !== 'file')
    return { path, hunk: 0, reason: entry === undefined ? 'the file does not exist' : 'it is no regular file' };
  const isNew = action === 'create' || action === 'rename';
  if (isNew && newPath !== undefined && (await files.find(newPath)) !== undefined)
    return { path, hunk: 0, reason: 'there is something of that name' };
  const content = source === undefined ? undefined : await readIfFile(files, source);
  if (content === 'no_file') return { path, hunk: 0, reason: 'it is no regular file' };
  const applied = applyHunks(content === undefined ? '' : textOrError(content, source ?? path), hunks);
  if (applied.kind === 'conflict') return { path, hunk: applied.hunk, reason: applied.reason };
  if (action === 'delete' && applied.text !== '')
    return { path, hunk: 0, reason: 'it is to be deleted, but holds more than the patch says' };
  const made = Buffer.from(applied.text);
  const kept = entry?.mode ?? mode;
  const changes: FileChange[] = [];
  if (newPath !== undefined) changes.push({ path: newPath, before: action === 'modify' ? content : undefined, after: made, mode: kept });
  if (action === 'delete' || action === 'rename') changes.push({ path: source ?? path, before: content, after: undefined, mode: kept });
  const count = (kind: 'add' | 'remove'): number =>
    hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.kind === kind).length, 0);
  return { path, action, changes, about: { path, action, hunks: hunks.length, lines_added: count('add'), lines_removed: count('remove') } };
}

/** A command may have made something else of it meanwhile. */
async function readIfFile(files: AgentFiles, path: string): Promise<Buffer | 'no_file'> {
  try {
    return await files.read(path, APPLY_LIMITS.fileBytesMax);
  } catch (error) {
    if (error instanceof CapabilityError && error.type === 'NotAFile') return 'no_file';
    throw error;
  }
}

/** Where a link of the tree leads may be written as well; it has to be below the directory all the same. */
async function locateBelow(files: AgentFiles, root: string, name: string): Promise<string> {
  const path = await files.locate(posix.join(root, name), 'rw');
  if (!path.startsWith(root === '/' ? '/' : `${root}/`)) {
    throw new CapabilityError('PathOutOfScope', `Cannot use the name ${quoted(name)} of the patch: a link leads out of the directory`, {
      context: { path: name },
    });
  }
  return path;
}

/**
 * Writes several files or none: what was there is kept until the last one is written, and put back when one cannot be. Each file is replaced in one step; between two of them a
 * reader can see some of the new ones. What changed since it was read is left alone, and so is everything else then.
 */
import { CapabilityError } from '../../capability/handler.ts';
import { type AgentFiles, quoted } from './agent-files.ts';

export type FileChange = {
  readonly path: string;
  /** As it was read; undefined when there was nothing. */
  readonly before: Buffer | undefined;
  /** Undefined takes it away. */
  readonly after: Buffer | undefined;
  readonly mode: number | undefined;
};

/** Returns the bytes written. Throws what a write throws, or `FileChanged` when a file changed meanwhile; then nothing is changed, or the message says what could not be put back. */
export async function writeAll(
  files: AgentFiles,
  changes: readonly FileChange[],
  remove: (path: string) => Promise<unknown> = (path) => files.remove(path),
): Promise<number> {
  const done: FileChange[] = [];
  try {
    for (const change of changes) {
      await refuseChanged(files, change);
      if (change.after === undefined) await remove(change.path);
      else await files.write(change.path, change.after, { mode: change.mode });
      done.push(change);
    }
  } catch (error) {
    const left: string[] = [];
    for (const change of done.toReversed()) {
      await putBack(files, change).catch(() => left.push(change.path));
    }
    if (left.length === 0) throw error;
    throw new CapabilityError('PartlyWritten', `Cannot undo the change of ${left.length} files after another failed`, {
      context: { paths: left.slice(0, 100) },
      cause: error,
    });
  }
  return changes.reduce((sum, { after }) => sum + (after?.length ?? 0), 0);
}

async function refuseChanged(files: AgentFiles, { path, before }: FileChange): Promise<void> {
  const entry = await files.find(path);
  const isAsRead =
    before === undefined
      ? entry === undefined
      : entry?.kind === 'file' && entry.size === before.length && (await files.read(path, before.length)).equals(before);
  if (!isAsRead)
    throw new CapabilityError('FileChanged', `Cannot change ${quoted(path)}: somebody else changed it meanwhile`, {
      context: { path },
      retryAfterMs: 0,
    });
}

async function putBack(files: AgentFiles, { path, mode, before }: FileChange): Promise<void> {
  if (before === undefined) await files.sandbox.remove(path);
  else await files.sandbox.writeFile(path, before, { mode: (mode ?? 0o644) & 0o777 });
}

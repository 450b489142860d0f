/** `filesystem.write` and `filesystem.append`. */
import { posix } from 'node:path';
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { CapabilityError } from '../../capability/handler.ts';
import { AgentFiles, contextOf, notAFile, quoted } from '../internal/agent-files.ts';
import { capabilityErrorOf } from '../internal/capability-error-of.ts';
import { bytesOf, sha256 } from '../internal/file-text.ts';

type WriteInput = {
  readonly path: string;
  readonly content: string;
  readonly encoding: 'utf-8' | 'binary';
  readonly create_parents: boolean;
};
type AppendInput = { readonly path: string; readonly content: string };

export async function write(input: WriteInput, context: HandlerContext): Promise<HandlerResult> {
  const bytes = bytesOf(input.content, input.encoding);
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'rw');
  const old = await files.find(path);
  if (old !== undefined && old.kind !== 'file') throw notAFile(path, old.kind);
  if (old === undefined) {
    if (input.create_parents) await makeDirectory(files, posix.dirname(path), true, 'ParentNotFound');
    else await requireParent(files, path);
  }
  await files.write(path, bytes, { mode: old?.mode });
  return { output: { path, size: bytes.length, checksum: sha256(bytes) }, usage: { fs_w_bytes: bytes.length } };
}

export async function append(input: AppendInput, context: HandlerContext): Promise<HandlerResult> {
  const bytes = bytesOf(input.content, 'utf-8');
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'rw');
  const old = await files.find(path);
  if (old !== undefined && old.kind !== 'file') throw notAFile(path, old.kind);
  if (old === undefined) await requireParent(files, path);
  try {
    await files.sandbox.writeFile(path, bytes, { append: true, signal: files.signal });
  } catch (error) {
    throw capabilityErrorOf(error, path, { FileNotFound: 'ParentNotFound' });
  }
  const { size } = await files.file(path);
  return { output: { path, new_size: size }, usage: { fs_w_bytes: bytes.length } };
}

/** Throws `ParentNotFound`. */
export async function requireParent(files: AgentFiles, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if ((await files.find(parent))?.kind === 'directory') return;
  throw new CapabilityError('ParentNotFound', `Cannot make ${quoted(path)}: ${quoted(parent)} is no directory`, {
    context: contextOf(path),
  });
}

/** `occupied`: what it is when something else stands in its place or on the way. */
export async function makeDirectory(files: AgentFiles, path: string, parents: boolean, occupied = 'DestinationExists'): Promise<void> {
  try {
    await files.sandbox.mkdir(path, { parents, signal: files.signal });
  } catch (error) {
    throw capabilityErrorOf(error, path, { FileNotFound: 'ParentNotFound', NotADirectory: 'ParentNotFound', DestinationExists: occupied });
  }
}

/** `filesystem.move` and `filesystem.copy`. */
import { createHash } from 'node:crypto';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { capabilityErrorOf } from '../internal/capability-error-of.ts';
import { rename } from './rename.ts';
import { requireParent } from './write.ts';

type MoveInput = { readonly source: string; readonly destination: string; readonly overwrite: boolean };

export async function move(input: MoveInput, context: HandlerContext): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const [source = '', destination = ''] = await files.locateAll([input.source, input.destination], 'rw', { followsLast: false });
  const entry = await files.find(source);
  if (entry === undefined)
    throw new CapabilityError('FileNotFound', `Cannot move ${quoted(source)}: it does not exist`, { context: contextOf(source) });
  if (source === destination || destination.startsWith(`${source}/`)) {
    throw new CapabilityError('InvalidInput', `Cannot move ${quoted(source)} to itself or into itself`, {
      context: { field: 'destination' },
    });
  }
  await checkDestination(files, source, destination, input.overwrite);
  await rename(files, source, destination, input.overwrite);
  return { output: { source, destination, size: entry.kind === 'file' ? entry.size : 0 } };
}

/** Read and written as a stream, so that the copy is there as a whole or not at all and its hash is that of what was written. */
export async function copy(input: MoveInput, context: HandlerContext): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const source = await files.locate(input.source, 'r');
  const destination = await files.locate(input.destination, 'rw');
  const { mode } = await files.file(source);
  if (source === destination)
    throw new CapabilityError('InvalidInput', `Cannot copy ${quoted(source)} to itself`, { context: { field: 'destination' } });
  await checkDestination(files, source, destination, input.overwrite);
  const hash = createHash('sha256');
  let size = 0;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of files.sandbox.readFile(source, { signal: files.signal })) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw capabilityErrorOf(error, source);
    }
  };
  await files.write(destination, content(), { mode, exclusive: !input.overwrite });
  return { output: { source, destination, size, checksum: hash.digest('hex') }, usage: { fs_w_bytes: size } };
}

/** A directory is never replaced. */
async function checkDestination(files: AgentFiles, source: string, destination: string, isReplacing: boolean): Promise<void> {
  const there = await files.find(destination);
  if (there === undefined) return await requireParent(files, destination);
  if (isReplacing && there.kind !== 'directory') return;
  const what = there.kind === 'directory' ? 'a directory' : 'something';
  throw new CapabilityError('DestinationExists', `Cannot use ${quoted(destination)}: there is ${what}`, {
    context: { path: destination, source, destination },
  });
}

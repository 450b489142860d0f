/** Moves something to another name, atomically within a mount. */
import { CapabilityError } from '../../capability/handler.ts';
import { type AgentFiles, quoted } from '../internal/agent-files.ts';

/** Throws `DestinationExists` when something is there and may not be replaced, also something that came meanwhile. */
export async function rename(files: AgentFiles, source: string, destination: string, isReplacing: boolean): Promise<void> {
  const { exit, stdout, stderr } = await files.run(['mv', isReplacing ? '-fTv' : '-nTv', '--', source, destination]);
  const context = { path: source, source, destination };
  // With -n older ones succeed without having moved anything; what they did they say.
  const isMoved = exit.kind === 'exited' && exit.code === 0 && stdout.length > 0;
  if (isMoved) return;
  if (!isReplacing && (await files.find(source)) !== undefined && (await files.find(destination)) !== undefined) {
    throw new CapabilityError('DestinationExists', `Cannot move ${quoted(source)}: there is something at ${quoted(destination)}`, {
      context,
    });
  }
  const reason = Buffer.from(stderr).toString();
  const type = /No space left|quota/i.test(reason)
    ? 'DiskFull'
    : /subdirectory of itself|are the same file/.test(reason)
      ? 'InvalidInput'
      : 'PermissionDenied';
  throw new CapabilityError(type, `Cannot move ${quoted(source)} to ${quoted(destination)}`, { context });
}

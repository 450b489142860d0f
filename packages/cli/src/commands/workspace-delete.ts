/** `warren workspace delete`: asks for the name, since nothing brings it back. */
import { Fault, isFault, parseWorkspaceId } from '@warren/protocol';
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import type { WorkspaceDeleteFlags } from '../program/workspace-commands.ts';

const ANSWER_CHARACTERS_MAX = 1_024;

export async function workspaceDelete(id: string, flags: WorkspaceDeleteFlags, host: Host): Promise<number> {
  parseWorkspaceId(id);
  if (flags.yes !== true) await ask(id, flags, host);
  await using client = await openClient(flags, host, 'delete a workspace');
  const deleted = await client.call('workspace.delete', { workspace: id }).catch((error: unknown) => {
    if (!isFault(error, 'not_found')) throw error;
    const details = { ...error.details, fix: nextCommand('workspace list', flags) };
    throw new Fault('not_found', error.message, { details, cause: error });
  });
  if (flags.json === true) await host.stdout.write(`${safeJson(deleted, 2)}\n`);
  else await host.stdout.write(`Workspace ${safeText(id)} is deleted, with everything of it.\n`);
  return 0;
}

async function ask(id: string, flags: WorkspaceDeleteFlags, host: Host): Promise<void> {
  const fix = nextCommand(`workspace delete ${id} --yes`, flags);
  if (!host.stdin.isTerminal || !host.stdin.isReadable)
    throw new Fault('invalid_argument', `Cannot delete workspace "${id}": nobody can be asked`, { details: { fix } });
  await host.stderr.write(`Everything of workspace "${safeText(id)}" will be destroyed. Type its name to go on: `);
  if ((await readLine(host)) !== id)
    throw new Fault('aborted', `Cannot delete workspace "${id}": that is not its name, nothing was deleted`);
}

async function readLine(host: Host): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of host.stdin.read()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n') || text.length > ANSWER_CHARACTERS_MAX) break;
  }
  host.stdin.close();
  return text.split('\n')[0]?.trim() ?? '';
}

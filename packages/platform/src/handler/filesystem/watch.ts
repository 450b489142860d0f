/** `filesystem.watch` and `filesystem.unwatch`. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { compileNameGlob } from '../internal/glob.ts';
import type { WatchEvent, Watches } from './watches.ts';

type WatchInput = {
  readonly path: string;
  readonly recursive: boolean;
  readonly event_types: readonly WatchEvent[];
  readonly pattern?: string;
};

export async function watch(input: WatchInput, context: HandlerContext, watches: Watches): Promise<HandlerResult> {
  const matches = input.pattern === undefined ? () => true : compileNameGlob(input.pattern);
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'r');
  if ((await files.find(path)) === undefined) {
    throw new CapabilityError('DirectoryNotFound', `Cannot watch ${quoted(path)}: it does not exist`, { context: contextOf(path) });
  }
  const request = { path, isRecursive: input.recursive, events: new Set(input.event_types), matches };
  const { id, channel } = await watches.start(context, request);
  return { output: { watch_id: id, channel, path, recursive: input.recursive } };
}

export async function unwatch(input: { readonly watch_id: string }, { actor }: HandlerContext, watches: Watches): Promise<HandlerResult> {
  const ended = await watches.end(actor.workspace, actor.pid, input.watch_id);
  return { output: { ended, watch_id: input.watch_id } };
}

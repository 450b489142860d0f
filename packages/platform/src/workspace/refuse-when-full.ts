/** What agents ask for that stores something is refused when the workspace is full. Memories, sessions and secrets ask where they store, since people store there too. */
import { isFault } from '@warren/protocol';
import { CapabilityError, type Handler, type Handlers } from '../capability/handler.ts';
import type { Room } from './stored-bytes.ts';

/** As much as they carry. */
const STORING = [
  'code.edit',
  'code.multi_edit',
  'code.patch',
  'filesystem.append',
  'filesystem.edit',
  'filesystem.mkdir',
  'filesystem.write',
];
/** As much as they happen to write: nobody knows before. Deleting is never refused. */
const OPEN_ENDED = [
  'filesystem.copy',
  'git.branch',
  'git.checkout',
  'git.clone',
  'git.commit',
  'git.init',
  'git.pull',
  'network.download',
  'process.run',
  'skill.run',
  'state.backup.export',
];

export function refuseWhenFull(handlers: Handlers, room: Room): Handlers {
  const guarded = (name: string, isOpenEnded: boolean): readonly [string, Handler] => {
    const handler = handlers[name];
    if (handler === undefined) throw new Error(`There is no capability ${name} to ask for room`);
    return [
      name,
      async (input, context) => {
        await requireRoom(room, context, isOpenEnded);
        return await handler(input, context);
      },
    ];
  };
  return {
    ...handlers,
    ...Object.fromEntries([...STORING.map((name) => guarded(name, false)), ...OPEN_ENDED.map((name) => guarded(name, true))]),
  };
}

async function requireRoom(room: Room, { actor, facts }: Parameters<Handler>[1], isOpenEnded: boolean): Promise<void> {
  try {
    await room.require(actor.workspace, facts.contentBytes ?? 0, { isOpenEnded });
  } catch (error) {
    if (!isFault(error, 'quota_exceeded')) throw error;
    const { used, hard_limit: limit } = error.details as { readonly used: number; readonly hard_limit: number }; // Room says both.
    const context = { stored_bytes: used, stored_bytes_max: limit };
    throw new CapabilityError('DiskFull', error.message, { context, cause: error });
  }
}

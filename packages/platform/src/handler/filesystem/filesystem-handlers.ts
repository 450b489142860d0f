/** The capabilities of category `filesystem`. Everything they do to files happens inside the caller's sandbox. */
import type { Handlers } from '../../capability/handler.ts';
import { edit } from './edit.ts';
import type { FilesystemParts } from './filesystem-parts.ts';
import { list, mkdir, stat } from './look.ts';
import { copy, move } from './move.ts';
import { read } from './read.ts';
import { search } from './search.ts';
import { searchContent } from './search-content.ts';
import { deleteToTrash, restoreFromTrash } from './trash.ts';
import { unwatch, watch } from './watch.ts';
import { append, write } from './write.ts';

type Act<Part> = (input: never, context: never, part: Part) => ReturnType<Handlers[string]>;

export function createFilesystemHandlers({ workers, watches, now }: FilesystemParts): Handlers {
  const handlers = {
    'filesystem.read': read,
    'filesystem.write': write,
    'filesystem.append': append,
    'filesystem.list': list,
    'filesystem.stat': stat,
    'filesystem.mkdir': mkdir,
    'filesystem.move': move,
    'filesystem.copy': copy,
    'filesystem.edit': given(edit, workers),
    'filesystem.delete': given(deleteToTrash, now),
    'filesystem.restore': given(restoreFromTrash, now),
    'filesystem.search': given(search, now),
    'filesystem.search_content': given(searchContent, workers),
    'filesystem.watch': given(watch, watches),
    'filesystem.unwatch': given(unwatch, watches),
  };
  return handlers as unknown as Handlers; // The gate parses inputs by the definitions, which say these types.
}

function given<Part>(act: Act<Part>, part: Part) {
  return (input: never, context: never) => act(input, context, part);
}

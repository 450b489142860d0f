/** The capabilities of category `code`. Files are read and written inside the caller's sandbox; hostile text is looked at in threads that can be ended. */
import type { Handlers } from '../../capability/handler.ts';
import type { Workers } from '../internal/workers.ts';
import { diff } from './diff.ts';
import { edit, multiEdit } from './edit.ts';
import { glob } from './glob.ts';
import { grep } from './grep.ts';
import { outline } from './outline.ts';
import { patch } from './patch.ts';

export type CodeParts = {
  readonly workers: Workers;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

type Act<Part> = (input: never, context: never, part: Part) => ReturnType<Handlers[string]>;

export function createCodeHandlers({ workers, now }: CodeParts): Handlers {
  const handlers = {
    'code.glob': glob,
    'code.grep': given(grep, workers),
    'code.diff': given(diff, workers),
    'code.edit': edit,
    'code.multi_edit': multiEdit,
    'code.outline': given(outline, workers),
    'code.patch': given(patch, now),
  };
  return handlers as unknown as Handlers; // The gate parses inputs by the definitions, which say these types.
}

function given<Part>(act: Act<Part>, part: Part) {
  return (input: never, context: never) => act(input, context, part);
}

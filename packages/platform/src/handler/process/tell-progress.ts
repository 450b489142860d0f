/** Signs of life of a command that is waited for: how long it runs, how much it has printed, and the end of that. */

import type { AgentSandbox } from '../../agent/agent-sandboxes.ts';
import type { HandlerContext } from '../../capability/handler.ts';
import { cleanText } from '../../internal/clean-text.ts';
import { tailOf } from './output-tail.ts';

const PROGRESS_MS = 1_000;
const LINE_LENGTH_MAX = 200;
/** More than a value takes in any encoding. */
const LOOKED_AT_LENGTH = 8_192;

export function tellProgress(
  { background }: Pick<AgentSandbox, 'background'>,
  id: string,
  { progress, redact }: Pick<HandlerContext, 'progress' | 'redact'>,
): Disposable {
  const startedMs = performance.now();
  const tell = (): void => {
    const command = background.find(id);
    if (command === undefined) return;
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    const bytes = command.stdoutBytes + command.stderrBytes;
    const last = tailOf(background, id, command.stdoutBytes > 0 ? 'stdout' : 'stderr', 1).slice(-LOOKED_AT_LENGTH);
    const line = cleanText(redact(last).trim().slice(-LINE_LENGTH_MAX), LINE_LENGTH_MAX); // Not the other way round: what is left of a value that is cut is not found.
    progress(`${seconds} s, ${bytes} bytes printed${line === '' ? '' : `: ${line}`}`);
  };
  const signs = setInterval(tell, PROGRESS_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(signs) };
}

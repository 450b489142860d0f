/** What agents do with a command that runs: look at it, wait for it, read what it printed. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { findCommand, summarizeCommand, viewCommand } from './command-view.ts';

const LIST_DEFAULT = 50;
const LIST_MAX = 500;
const WAIT_S_DEFAULT = 300;
const WAIT_S_MAX = 3_600;
const LOG_BYTES_DEFAULT = 65_536;
const LOG_BYTES_MAX = 1_048_576;
const FILTERS: ReadonlySet<string> = new Set(['all', 'running', 'completed', 'killed', 'timed_out', 'failed']);

export type IdInput = JsonObject & { readonly process_id: string };

export async function monitor({ process_id }: IdInput, context: HandlerContext): Promise<HandlerResult> {
  const { background } = await context.sandbox();
  return { output: viewCommand(findCommand(background, process_id), Date.now()) };
}

export async function wait(
  { process_id, timeout = WAIT_S_DEFAULT }: IdInput & { readonly timeout?: number },
  context: HandlerContext,
): Promise<HandlerResult> {
  const { background } = await context.sandbox();
  findCommand(background, process_id);
  const waitMs = Math.min(Math.max(timeout, 0), WAIT_S_MAX) * 1_000;
  return { output: viewCommand(await background.wait(process_id, waitMs, context.signal), Date.now()) };
}

export async function list(
  { state_filter = 'all', limit = LIST_DEFAULT }: JsonObject & { readonly state_filter?: string; readonly limit?: number },
  context: HandlerContext,
): Promise<HandlerResult> {
  if (!FILTERS.has(state_filter)) {
    throw new CapabilityError(
      'InvalidFilter',
      `Cannot list commands that are ${JSON.stringify(state_filter.slice(0, 40))}: states are ${[...FILTERS].join(', ')}`,
    );
  }
  const { background } = await context.sandbox();
  const found = background.list().filter(({ state }) => state_filter === 'all' || state === state_filter);
  const now = Date.now();
  const processes = found
    .toReversed()
    .slice(0, Math.min(limit, LIST_MAX))
    .map((command) => summarizeCommand(command, now));
  return { output: { processes, total: found.length } };
}

export async function logs(
  input: IdInput & { readonly stream?: string; readonly offset?: number; readonly limit?: number },
  context: HandlerContext,
): Promise<HandlerResult> {
  const { process_id, stream = 'both', offset = 0 } = input;
  if (stream !== 'both' && stream !== 'stdout' && stream !== 'stderr') {
    throw new CapabilityError(
      'InvalidStream',
      `Cannot read the stream ${JSON.stringify(stream.slice(0, 40))}: streams are stdout, stderr and both`,
    );
  }
  const { background } = await context.sandbox();
  const { id, state } = findCommand(background, process_id);
  const limit = Math.min(input.limit ?? LOG_BYTES_DEFAULT, LOG_BYTES_MAX);
  const read = (name: 'stdout' | 'stderr') => background.output(id, name, offset, stream === 'both' || stream === name ? limit : 0);
  const outputs = { stdout: read('stdout'), stderr: read('stderr') };
  const asked = stream === 'both' ? [outputs.stdout, outputs.stderr] : [outputs[stream]];
  return {
    output: {
      stdout: textOf(outputs.stdout.bytes),
      stderr: textOf(outputs.stderr.bytes),
      stdout_size: outputs.stdout.totalBytes,
      stderr_size: outputs.stderr.totalBytes,
      truncated: asked.some(({ firstOffset, totalBytes }) => firstOffset > offset || totalBytes > offset + limit),
      process_id: id,
      state,
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

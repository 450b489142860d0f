/** `filesystem.read`: a file or a window of it, with the hash of all of it. */
import { createHash } from 'node:crypto';
import type { Entry } from '@warren/sandbox';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { capabilityErrorOf } from '../internal/capability-error-of.ts';
import { textOf, textOrError, timestamp } from '../internal/file-text.ts';

type ReadInput = { readonly path: string; readonly encoding: 'utf-8' | 'binary'; readonly offset: number; readonly limit: number };

/** A file that is written to while it is read has no one content; somebody who writes all the time does not keep the reader for ever. */
const LOOKS_MAX = 3;
/** A larger file is hashed where it is: what is read of it need not pass through here whole. */
const STREAMED_BYTES_MAX = 67_108_864;

export async function read(input: ReadInput, context: HandlerContext): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'r');
  for (let look = 0; look < LOOKS_MAX; look++) {
    const before = await files.file(path);
    const { window, checksum } = await readWindow(files, path, before, input);
    const after = await files.file(path);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) continue;
    const { text, bytes } =
      input.encoding === 'binary'
        ? { text: window.toString('base64'), bytes: window.length }
        : textWindow(window, path, input, before.size);
    return {
      output: {
        content: text,
        size: before.size,
        modified: timestamp(before.mtimeMs),
        checksum,
        truncated: input.offset + bytes < before.size,
      },
    };
  }
  throw new CapabilityError('ResourceExhausted', `Cannot read ${quoted(path)}: it is changed all the time`, {
    context: contextOf(path),
    retryAfterMs: 1_000,
  });
}

async function readWindow(
  files: AgentFiles,
  path: string,
  { size }: Entry,
  { offset, limit }: ReadInput,
): Promise<{ readonly window: Buffer; readonly checksum: string }> {
  const isStreamed = size <= STREAMED_BYTES_MAX;
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let at = isStreamed ? 0 : offset;
  const range = isStreamed ? { length: STREAMED_BYTES_MAX } : { offset, length: limit };
  try {
    for await (const chunk of files.sandbox.readFile(path, { ...range, signal: files.signal })) {
      hash.update(chunk);
      const part = chunk.subarray(Math.max(0, offset - at), Math.max(0, offset + limit - at));
      if (part.length > 0) kept.push(part);
      at += chunk.length;
    }
  } catch (error) {
    throw capabilityErrorOf(error, path);
  }
  return { window: Buffer.concat(kept), checksum: isStreamed ? hash.digest('hex') : await hashInside(files, path) };
}

async function hashInside(files: AgentFiles, path: string): Promise<string> {
  const { exit, stdout } = await files.run(['sha256sum', '-z', '--', path]);
  if (exit.kind !== 'exited' || exit.code !== 0)
    throw new CapabilityError('PermissionDenied', `Cannot read ${quoted(path)}`, { context: contextOf(path) });
  return Buffer.from(stdout).toString('latin1', 0, 64);
}

/** A window may cut characters in two: what is cut off at its end is left for the next window, which begins where this one ended in whole characters. */
function textWindow(
  window: Buffer,
  path: string,
  { offset, limit }: ReadInput,
  size: number,
): { readonly text: string; readonly bytes: number } {
  const isCutAtEnd = offset + limit < size;
  let end = window.length;
  for (let back = 0; isCutAtEnd && back < 4 && end > 0; back++) {
    const text = textOf(window.subarray(0, end));
    if (text !== undefined) return { text, bytes: end };
    end--;
  }
  return { text: textOrError(isCutAtEnd && limit >= 4 ? window.subarray(0, Math.max(0, end)) : window, path), bytes: window.length };
}

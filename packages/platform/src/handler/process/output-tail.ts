/** The end of what a command printed. */
import type { BackgroundCommands } from '../../agent/background-commands.ts';

const TAIL_BYTES_MAX = 262_144;

/** The last lines, within 256 KiB. What is not UTF-8 is replaced. */
export function tailOf(background: BackgroundCommands, id: string, stream: 'stdout' | 'stderr', linesMax: number): string {
  const { totalBytes } = background.output(id, stream, 0, 0);
  const { bytes } = background.output(id, stream, Math.max(0, totalBytes - TAIL_BYTES_MAX), TAIL_BYTES_MAX);
  return lastLines(Buffer.from(skipPartialCharacter(bytes, totalBytes > bytes.length)).toString('utf8'), linesMax);
}

function lastLines(text: string, linesMax: number): string {
  if (linesMax === 0) return '';
  let start = text.endsWith('\n') ? text.length - 1 : text.length;
  for (let line = 0; line < linesMax; line++) {
    if (start <= 0) return text;
    start = text.lastIndexOf('\n', start - 1);
    if (start === -1) return text;
  }
  return text.slice(start + 1);
}

function skipPartialCharacter(bytes: Uint8Array, isCut: boolean): Uint8Array {
  let start = 0;
  while (isCut && start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}

/** The value of a secret: typed at the terminal without being shown, or read from a file or standard input. Never from the command line, which others see and shells remember. */
import { open } from 'node:fs/promises';
import { Fault } from '@warren/protocol';
import type { SecretValueFlags } from '../program/secret-commands.ts';
import type { Host } from './host.ts';
import { askHidden } from './read-passphrase.ts';
import { safeText } from './safe-text.ts';

/** As the vault takes them. */
const BYTES_MAX = 65_536;
const OPTION = { details: { option: '--from-file' } };

/** `words`: what stands after the name, where people put values. */
export function refuseValueWords(words: readonly string[], flags: SecretValueFlags): void {
  if (words.length === 0 && flags.value === undefined) return;
  throw new Fault(
    'invalid_argument',
    'Cannot take a value from the command line: everybody on this machine can see it there, and your shell remembers it. Give it on standard input, with --from-file, or at the prompt',
    OPTION,
  );
}

/** Without one line end at its end, which editors and echo put there, unless every byte is asked for. */
export async function readSecretValue(name: string, { fromFile, exact }: SecretValueFlags, host: Host): Promise<Buffer> {
  const bytes = await read(name, fromFile, host);
  const end = exact === true ? 0 : bytes.at(-1) !== 0x0a ? 0 : bytes.at(-2) === 0x0d ? 2 : 1;
  const value = bytes.subarray(0, bytes.length - end);
  if (value.length > BYTES_MAX) throw new Fault('too_large', `Cannot keep the secret: its value has more than ${BYTES_MAX} bytes`, OPTION);
  if (value.length === 0) throw new Fault('invalid_argument', 'Cannot keep the secret: its value is empty', OPTION);
  return value;
}

async function read(name: string, file: string | undefined, host: Host): Promise<Buffer> {
  if (file !== undefined && file !== '-') return await readFromFile(file);
  if (file === undefined && host.stdin.isTerminal) {
    const [typed = ''] = await askHidden([`Value of ${safeText(name)}: `], host, BYTES_MAX);
    return Buffer.from(typed);
  }
  if (!host.stdin.isReadable)
    throw new Fault('invalid_argument', 'Cannot read a value: there is no terminal and no input; give it with --from-file FILE', OPTION);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of host.stdin.read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > BYTES_MAX + 2) break;
  }
  return Buffer.concat(pieces);
}

async function readFromFile(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(BYTES_MAX + 3) });
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Fault('invalid_argument', `Cannot read the value from ${safeText(file)}: ${why}`, { ...OPTION, cause: error });
  }
}

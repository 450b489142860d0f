/** A passphrase: asked for twice at the terminal without being shown, or read from a file or standard input. Never from the command line, which others see. */
import { readFile } from 'node:fs/promises';
import { Fault } from '@warren/protocol';
import type { PassphraseFlags } from '../program/person-commands.ts';
import type { Host } from './host.ts';
import { safeText } from './safe-text.ts';

const BYTES_MAX = 4_096;
const ENOUGH_CHARACTERS = 20;
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const ERASE: ReadonlySet<number> = new Set([0x08, 0x7f]);
const ENTER: ReadonlySet<number> = new Set([0x0a, 0x0d]);

type Asked = { readonly kind: 'new' | 'known'; readonly option: string; readonly what: 'passphrase' | 'token' };

/** A token: read from a file, or standard input. */
export async function readToken(file: string, host: Host): Promise<string> {
  return await read(file, host, { kind: 'known', option: '--token-file', what: 'token' });
}

/** A `new` one is asked for twice. Without the line end that editors put at the end of a file. */
export async function readPassphrase({ passphraseFile }: PassphraseFlags, host: Host, kind: 'new' | 'known' = 'new'): Promise<string> {
  return await read(passphraseFile, host, { kind, option: '--passphrase-file', what: 'passphrase' });
}

/** Of one that was taken: why another was refused is what matters then. */
export async function hintAbout(passphrase: string | undefined, name: string, host: Host): Promise<void> {
  const hint = passphrase === undefined ? undefined : hintFor(passphrase, name);
  if (hint !== undefined) await host.stderr.write(`warren: hint: ${hint}\n`);
}

/** What would make it harder to guess; undefined when it is fine. It says nothing of the passphrase itself. */
export function hintFor(passphrase: string, name: string): string | undefined {
  const characters = [...passphrase];
  if (name.length > 2 && passphrase.toLowerCase().includes(name)) return 'the name is in the passphrase; leave it out';
  if (new Set(characters).size < 8) return 'the passphrase repeats few characters; take several words';
  return characters.length < ENOUGH_CHARACTERS ? 'several words are easier to remember and harder to guess' : undefined;
}

async function read(file: string | undefined, host: Host, asked: Asked): Promise<string> {
  if (file !== undefined && file !== '-') return trimmed(await readText(file, asked), file, asked);
  if (file === undefined && host.stdin.isTerminal) return await ask(host, asked);
  if (!host.stdin.isReadable)
    throw new Fault(
      'invalid_argument',
      `Cannot read a ${asked.what}: there is no terminal and no input; give it with ${asked.option} FILE`,
      {
        details: { option: asked.option },
      },
    );
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of host.stdin.read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > BYTES_MAX) break;
  }
  return trimmed(Buffer.concat(pieces).toString('utf8'), 'standard input', asked);
}

async function readText(file: string, { what, option }: Asked): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Fault('invalid_argument', `Cannot read the ${what} from ${safeText(file)}: ${why}`, {
      details: { option },
      cause: error,
    });
  }
}

function trimmed(text: string, from: string, { what, option }: Asked): string {
  const passphrase = text.replace(/\r?\n$/, '');
  if (Buffer.byteLength(passphrase) <= BYTES_MAX && !passphrase.includes('\n')) return passphrase;
  throw new Fault('invalid_argument', `Cannot read the ${what} from ${safeText(from)}: it is more than one line`, {
    details: { option },
  });
}

async function ask(host: Host, { kind }: Asked): Promise<string> {
  if (kind === 'known') return (await askHidden(['Passphrase: '], host))[0] ?? '';
  const [first = '', second] = await askHidden(['Passphrase: ', 'Once more: '], host);
  requireSame(first, second);
  return first;
}

export function requireSame(first: string, second: string | undefined): void {
  if (first !== second) throw new Fault('invalid_argument', 'Cannot use the passphrase: what was typed the second time is something else');
}

/** A line for each prompt, typed at the terminal without being shown. Nothing can be read from standard input afterwards. */
export async function askHidden(prompts: readonly string[], host: Host, bytesMax = BYTES_MAX): Promise<readonly string[]> {
  using _raw = host.stdin.raw();
  const keys = bytesOf(host.stdin.read());
  try {
    const lines: string[] = [];
    for (const prompt of prompts) lines.push(await line(prompt, keys, host, bytesMax));
    return lines;
  } finally {
    host.stdin.close();
  }
}

async function* bytesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<number, void, undefined> {
  for await (const piece of pieces) yield* piece;
}

async function line(prompt: string, keys: AsyncGenerator<number, void, undefined>, host: Host, bytesMax: number): Promise<string> {
  await host.stderr.write(prompt);
  let typed: number[] = [];
  for (;;) {
    const { value: key } = await keys.next();
    if (key === undefined || key === CTRL_C || (key === CTRL_D && typed.length === 0)) {
      await host.stderr.write('\n');
      throw new Fault('aborted', 'Cannot read it: nothing was typed to the end');
    }
    if (ENTER.has(key)) break;
    if (key === CTRL_U) typed = [];
    else if (ERASE.has(key)) typed = [...Buffer.from([...Buffer.from(typed).toString('utf8')].slice(0, -1).join(''))];
    else if (typed.length < bytesMax) typed.push(key);
  }
  await host.stderr.write('\n');
  return Buffer.from(typed).toString('utf8');
}

/** The value of an option that takes a JSON object: as it is, `-` for standard input, or `@FILE`. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Fault, type JsonObject } from '@warren/protocol';
import { readObject } from './call-input.ts';
import type { Host } from './host.ts';

const BYTES_MAX = 33_554_432;

/** `flag`: for what is wrong with it. */
export async function readJsonOption(given: string | undefined, flag: string, host: Host): Promise<JsonObject> {
  if (given === undefined) return {};
  if (given === '-') return readObject(await readAll(host.stdin.read(), flag), flag);
  return readObject(given.startsWith('@') ? await readAll(createReadStream(resolve(host.cwd(), given.slice(1))), flag) : given, flag);
}

async function readAll(chunksRead: AsyncIterable<Uint8Array>, flag: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksRead) {
    bytes += chunk.byteLength;
    if (bytes > BYTES_MAX) throw new Fault('too_large', `Cannot use ${flag}: it has more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

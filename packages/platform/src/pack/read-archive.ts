/** Reads a `.tar.gz` (ustar, with the headers that GNU tar and pax add) into the files of a pack. Only plain files and folders are taken. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Fault } from '@warren/protocol';
import { PACK_LIMITS, type PackFile, PackFiles, refuse, tooLarge } from './pack-files.ts';

const BLOCK = 512;
/** Besides the files: headers, and padding up to whole blocks. */
const UNPACKED_MAX = PACK_LIMITS.bytesMax + PACK_LIMITS.filesMax * 4 * BLOCK;
const unpack = promisify(gunzip);

/** Throws `conflict` when the hash is not the expected one, `invalid_argument` or `too_large` for what a pack may not have. */
export async function readArchive(archive: Uint8Array, sha256: string): Promise<readonly PackFile[]> {
  if (archive.length > PACK_LIMITS.archiveBytesMax)
    throw tooLarge(`its archive has ${archive.length} bytes, the limit is ${PACK_LIMITS.archiveBytesMax}`);
  const actual = createHash('sha256').update(archive).digest();
  const expected = Buffer.from(sha256, 'hex');
  if (expected.length !== actual.length || !timingSafeEqual(actual, expected)) {
    throw new Fault('conflict', `Cannot install the pack: the archive has the SHA-256 ${actual.toString('hex')}, not the expected one`);
  }
  const tar = await unpack(archive, { maxOutputLength: UNPACKED_MAX }).catch((cause: unknown) => {
    const isTooLarge = cause instanceof RangeError;
    throw isTooLarge
      ? tooLarge(`unpacked it has more than ${UNPACKED_MAX} bytes`)
      : new Fault('invalid_argument', 'Cannot install the pack: the archive is no valid gzip', { cause });
  });
  return readTar(tar);
}

function readTar(tar: Uint8Array): readonly PackFile[] {
  const files = new PackFiles();
  let entries = 0;
  for (let offset = 0; offset + BLOCK <= tar.length; ) {
    const header = tar.subarray(offset, offset + BLOCK);
    if (header.every((byte) => byte === 0)) return files.list();
    if (++entries > 2 * PACK_LIMITS.filesMax) throw tooLarge(`it has more than ${PACK_LIMITS.filesMax} files`);
    checkSum(header);
    const path = text(header, 345, 155) === '' ? text(header, 0, 100) : `${text(header, 345, 155)}/${text(header, 0, 100)}`;
    const size = octal(header, 124, 12, path);
    const body = tar.subarray(offset + BLOCK, offset + BLOCK + size);
    if (body.length < size) throw refuse(path, 'is cut off');
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === '0' || kind === '\0') files.add({ path, isExecutable: (octal(header, 100, 8, path) & 0o111) !== 0, bytes: body });
    else if (kind === 'x' || kind === 'g') checkExtension(body, path);
    else if (kind !== '5') throw refuse(path, 'is a link or a special file');
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Fault('invalid_argument', 'Cannot install the pack: the archive is cut off');
}

/** Extended headers may say times and owners; what would change name, size or kind of what follows is refused. */
function checkExtension(body: Uint8Array, path: string): void {
  for (const line of new TextDecoder().decode(body).split('\n')) {
    const key = /^\d+ ([^=]*)=/.exec(line)?.[1];
    if (key !== undefined && /^(?:path|linkpath|size|GNU\.)/.test(key))
      throw refuse(path, `has an extended header with ${key}; use names of at most 100 characters`);
  }
}

function checkSum(header: Uint8Array): void {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  if (sum !== octal(header, 148, 8, '')) throw new Fault('invalid_argument', 'Cannot install the pack: the archive is damaged');
}

function text(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, offset: number, length: number, path: string): number {
  const digits = text(header, offset, length).trim();
  if (!/^[0-7]{0,11}$/.test(digits)) throw refuse(path, 'has a header that is not valid');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

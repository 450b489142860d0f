/** A secret as a record of an exported workspace: what it is, as JSON behind its length, and then the bytes of its versions. They stand apart so that they can be wiped, which a string cannot. */
import { z } from 'zod';
import type { SecretCopy } from '../vault/secrets.ts';

const LIST_MAX = 100;
const VERSIONS_MAX = 100;
const HEAD_BYTES = 4;

const list = z.array(z.string().max(1_024)).max(LIST_MAX);
const about = z.object({
  name: z.string().max(256),
  type: z.string().max(64),
  purpose: z.string().max(4_096),
  bindings: z.strictObject({ hosts: list, capabilities: list, skills: list }),
  version: z.int().min(1),
  createdAt: z.int(),
  updatedAt: z.int(),
  revokedAt: z.int().optional(),
  versions: z.array(z.strictObject({ version: z.int().min(1), createdAt: z.int(), bytes: z.int().min(1) })).max(VERSIONS_MAX),
});

/** The bytes are the caller's to wipe. */
export function encodeSecret({ versions, ...rest }: SecretCopy): Buffer {
  const said = Buffer.from(JSON.stringify({ ...rest, versions: versions.map((each) => ({ ...each, bytes: each.bytes.byteLength })) }));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(said.length, 0);
  return Buffer.concat([head, said, ...versions.map(({ bytes }) => bytes)]);
}

/** Undefined when it is none. The versions are in `payload` itself. */
export function decodeSecret(payload: Buffer): SecretCopy | undefined {
  if (payload.length < HEAD_BYTES) return undefined;
  const start = HEAD_BYTES + payload.readUInt32BE(0);
  const parsed = start > payload.length ? undefined : about.safeParse(parseJson(payload.subarray(HEAD_BYTES, start)));
  if (parsed?.success !== true) return undefined;
  const { versions, revokedAt, ...rest } = parsed.data;
  let at = start;
  const opened = versions.map(({ bytes, ...each }) => {
    const from = at;
    at += bytes;
    return { ...each, bytes: payload.subarray(from, at) };
  });
  return at === payload.length ? { ...rest, revokedAt, versions: opened } : undefined;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined; // The schema says that it is none.
  }
}

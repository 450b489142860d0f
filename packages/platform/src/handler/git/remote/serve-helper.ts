/**
 * The host's half of git over HTTP. Git in the sandbox speaks to what it takes for a helper of its own (gitremote-helpers(7)); its words arrive here, and each
 * request is made through the egress guard, under the caller's grants, to the one repository the call is about. The host knows where a request
 * ends and nothing of what it says: that goes from git to the server and back.
 */
import type { Egress, EgressResponse } from '@warren/sandbox';
import { CapabilityError } from '../../../capability/handler.ts';
import { isFlush, PacketReader, RESPONSE_END } from './packet-lines.ts';

export const REMOTE_LIMITS = {
  /** What a server may send for one request: a pack may be a whole history. */
  answerBytesMax: 1_073_741_824,
  /** What is sent for one request: it is held in memory, because it needs a length. As much as the guard sends. */
  requestBytesMax: 67_108_864,
  refsBytesMax: 33_554_432,
  /** A fetch negotiates in rounds. */
  requestsMax: 1_000,
} as const;

const COMMAND_LENGTH_MAX = 4_096;

export type Service = 'git-upload-pack' | 'git-receive-pack';

export type HelperParts = {
  readonly egress: Egress;
  /** Patterns of hosts; those of the call's own host only. */
  readonly hosts: readonly string[];
  readonly url: string;
  readonly service: Service;
  readonly deadlineAt: number;
  /** Bytes that came, so far. */
  readonly onBytes: (bytes: number) => void;
};

export type Pipe = {
  /** What git says. */
  readonly words: AsyncIterable<Uint8Array>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => void;
};

/** Serves one helper until git is done with it. Throws what the egress guard throws, and `CapabilityError` when the server is no git. */
export async function serveHelper(parts: HelperParts, pipe: Pipe, signal: AbortSignal): Promise<void> {
  const reader = new PacketReader(pipe.words);
  const verb = parts.service === 'git-upload-pack' ? 'stateless-connect' : 'connect';
  for (;;) {
    const line = await reader.textLine(COMMAND_LENGTH_MAX);
    if (line === undefined || line === '') return pipe.end();
    if (line === 'capabilities') {
      await pipe.write(Buffer.from(`${verb}\n\n`));
    } else if (line === `${verb} ${parts.service}`) {
      const remote = await connect(parts, signal);
      await pipe.write(Buffer.from('\n'));
      await pipe.write(remote.advertisement);
      await (verb === 'connect' ? sendPack(remote, reader, pipe, signal) : answerRequests(remote, reader, pipe, signal));
      return pipe.end();
    } else {
      throw new CapabilityError('InternalError', 'Cannot speak with git: it asked for what it was not offered');
    }
  }
}

type Remote = { readonly parts: HelperParts; readonly base: string; readonly advertisement: Buffer };

/** Asks what the server has. It may lead elsewhere, on the same host. */
async function connect(parts: HelperParts, signal: AbortSignal): Promise<Remote> {
  const asked = `/info/refs?service=${parts.service}`;
  const response = await request(parts, { url: `${parts.url}${asked}`, bodyBytesMax: REMOTE_LIMITS.refsBytesMax, redirectsMax: 5 }, signal);
  try {
    if (response.headers['content-type'] !== `application/x-${parts.service}-advertisement`) throw notGit(parts);
    const body = await collect(response.body, REMOTE_LIMITS.refsBytesMax);
    parts.onBytes(body.length);
    const base = response.url.endsWith(asked) ? response.url.slice(0, -asked.length) : parts.url;
    return { parts, base, advertisement: await withoutAnnouncement(parts, body) };
  } finally {
    response.dispose();
  }
}

/** Servers begin with the service's name, unless they speak version 2; git wants what comes after. */
async function withoutAnnouncement(parts: HelperParts, body: Buffer): Promise<Buffer> {
  const reader = new PacketReader(only(body));
  const first = await reader.packet();
  const isAnnounced = first?.subarray(4).toString('latin1').startsWith('# service=') === true;
  if (isAnnounced) {
    const flush = await reader.packet();
    if (flush === undefined || !isFlush(flush)) throw notGit(parts);
  }
  const advertisement = isAnnounced ? await collect(reader.remaining(), body.length) : body;
  const isVersion2 = advertisement.subarray(4).toString('latin1', 0, 9) === 'version 2';
  if (parts.service === 'git-upload-pack' && !isVersion2) {
    throw new CapabilityError('InternalError', `Cannot read from ${hostOf(parts)}: the server does not speak version 2 of git's protocol`);
  }
  return advertisement;
}

/** Fetching: each request ends with a flush, and each answer with a mark of its own. */
async function answerRequests({ parts, base }: Remote, reader: PacketReader, pipe: Pipe, signal: AbortSignal): Promise<void> {
  for (let count = 0; count < REMOTE_LIMITS.requestsMax; count++) {
    const body = await readUntilFlush(reader);
    if (body === undefined) return;
    const response = await post(parts, base, body, signal);
    try {
      for await (const chunk of response.body) {
        parts.onBytes(chunk.length);
        await pipe.write(chunk);
      }
    } finally {
      response.dispose();
    }
    await pipe.write(RESPONSE_END);
  }
  throw new CapabilityError('InternalError', `Cannot read from ${hostOf(parts)}: git asked ${REMOTE_LIMITS.requestsMax} times`);
}

/** Pushing: one request, of commands and a pack that ends with the stream. */
async function sendPack({ parts, base }: Remote, reader: PacketReader, pipe: Pipe, signal: AbortSignal): Promise<void> {
  const commands = await readUntilFlush(reader);
  if (commands === undefined || isFlush(commands)) return; // There is nothing to send.
  const pack = await collect(reader.remaining(), REMOTE_LIMITS.requestBytesMax);
  const response = await post(parts, base, Buffer.concat([commands, pack]), signal);
  try {
    for await (const chunk of response.body) await pipe.write(chunk);
  } finally {
    response.dispose();
  }
}

async function readUntilFlush(reader: PacketReader): Promise<Buffer | undefined> {
  const packets: Buffer[] = [];
  for (let bytes = 0; bytes <= REMOTE_LIMITS.requestBytesMax; ) {
    const packet = await reader.packet();
    if (packet === undefined) {
      if (packets.length === 0) return undefined;
      throw new CapabilityError('InternalError', 'Cannot speak with git: a request has no end');
    }
    packets.push(packet);
    bytes += packet.length;
    if (isFlush(packet)) return Buffer.concat(packets);
  }
  throw tooLarge();
}

async function post(parts: HelperParts, base: string, body: Buffer, signal: AbortSignal): Promise<EgressResponse> {
  const { service } = parts;
  const response = await request(
    parts,
    {
      url: `${base}/${service}`,
      method: 'POST',
      headers: { 'content-type': `application/x-${service}-request`, accept: `application/x-${service}-result` },
      body,
      bodyBytesMax: REMOTE_LIMITS.answerBytesMax,
      redirectsMax: 0,
    },
    signal,
  );
  if (response.headers['content-type'] === `application/x-${service}-result`) return response;
  response.dispose();
  throw notGit(parts);
}

type Request = Parameters<Egress['fetch']>[1];

async function request(parts: HelperParts, asked: Request, signal: AbortSignal): Promise<EgressResponse> {
  const version = parts.service === 'git-upload-pack' ? { 'git-protocol': 'version=2' } : undefined; // Pushing has no version 2.
  const headers = { 'user-agent': 'git/2 (warren)', ...version, ...asked.headers };
  const deadlineMs = Math.max(1, parts.deadlineAt - Date.now());
  const response = await parts.egress.fetch({ hosts: parts.hosts }, { ...asked, headers, deadlineMs }, signal);
  if (response.status === 200) return response;
  response.dispose();
  if (response.status === 401 || response.status === 403) {
    throw new CapabilityError('InternalError', `Cannot reach the repository: ${hostOf(parts)} wants credentials, and this call has none`);
  }
  throw new CapabilityError('InternalError', `Cannot reach the repository: ${hostOf(parts)} answers ${response.status}`);
}

async function collect(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function hostOf({ url }: HelperParts): string {
  return new URL(url).host;
}

function notGit(parts: HelperParts): CapabilityError {
  return new CapabilityError('InternalError', `Cannot reach the repository: what ${hostOf(parts)} answers is not git's smart protocol`);
}

function tooLarge(): CapabilityError {
  return new CapabilityError('InternalError', `Cannot send the commits: they are more than ${REMOTE_LIMITS.requestBytesMax} bytes at once`);
}

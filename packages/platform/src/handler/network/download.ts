/** `network.download`. The file appears whole, once all of it came and is what was expected. */
import { createHash } from 'node:crypto';
import type { EgressResponse } from '@warren/sandbox';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { requireParent } from '../filesystem/write.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { refusalError } from './refusal-error.ts';
import { webTaint } from './web-taint.ts';

type Input = {
  readonly url: string;
  readonly path: string;
  readonly overwrite: boolean;
  /** 64 hexadecimal digits in lower case. */
  readonly expected_checksum?: string | undefined;
};

/** The call's own deadline, which is never longer, ends it; this is only the guard's. */
const DEADLINE_MS = 3_600_000;
const BYTES_MAX = 8 * 1024 ** 3;
/** Progress is told from the first bytes on, and every so many then. */
const REPORT_BYTES = 1024 * 1024;

export async function download(input: Input, context: HandlerContext): Promise<HandlerResult> {
  const startedAt = performance.now();
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'rw');
  const mode = await modeOf(files, path, input.overwrite);
  let response: EgressResponse | undefined;
  try {
    response = await context.egress.fetch(
      { hosts: context.hosts },
      { url: input.url, headers: { 'accept-encoding': 'identity' }, deadlineMs: DEADLINE_MS, bodyBytesMax: BYTES_MAX },
      context.signal,
    );
    if (response.status < 200 || response.status > 299) {
      throw new CapabilityError('DownloadFailed', `Cannot download ${quoted(input.url)}: the answer has status ${response.status}`, {
        context: { url: input.url, status_code: response.status },
        usage: { net_bytes: response.bytes() },
      });
    }
    const received = new Received(context.progress);
    await files.write(path, received.pass(response, input), { mode, exclusive: !input.overwrite });
    return {
      output: { path, size: received.bytes, checksum: received.checksum, duration_ms: Math.round(performance.now() - startedAt) },
      usage: { net_bytes: response.bytes(), fs_w_bytes: received.bytes },
      taint: webTaint(response.url),
    };
  } catch (error) {
    throw refusalError(error, 'DownloadFailed', {}, { url: input.url });
  } finally {
    response?.dispose();
  }
}

/** What comes, on its way into the file. Fails at the end, before the file is put in place, when it is not what was expected. */
class Received {
  bytes = 0;
  checksum = '';
  readonly #progress: HandlerContext['progress'];

  constructor(progress: HandlerContext['progress']) {
    this.#progress = progress;
  }

  async *pass(response: EgressResponse, { url, expected_checksum: expected }: Input): AsyncGenerator<Uint8Array, void> {
    const hash = createHash('sha256');
    let nextReport = 0;
    const total = Number(response.headers['content-length'] ?? 0);
    for await (const chunk of response.body) {
      this.bytes += chunk.length;
      hash.update(chunk);
      if (this.bytes >= nextReport) {
        nextReport = this.bytes + REPORT_BYTES;
        this.#progress(`${this.bytes} bytes received`, total >= this.bytes ? this.bytes / total : undefined);
      }
      yield chunk;
    }
    this.checksum = hash.digest('hex');
    if (expected === undefined || this.checksum === expected) return;
    throw new CapabilityError('ChecksumMismatch', `Cannot keep ${quoted(url)}: its SHA-256 is ${this.checksum}, not ${expected}`, {
      context: { url, expected_checksum: expected, checksum: this.checksum },
      usage: { net_bytes: response.bytes() },
    });
  }
}

/** Permissions the file has or gets. Throws `DestinationExists` and `ParentNotFound`. */
async function modeOf(files: AgentFiles, path: string, mayOverwrite: boolean): Promise<number | undefined> {
  const there = await files.find(path);
  if (there === undefined) {
    await requireParent(files, path);
    return undefined;
  }
  if (mayOverwrite && there.kind === 'file') return there.mode;
  throw new CapabilityError('DestinationExists', `Cannot download to ${quoted(path)}: there is a ${there.kind.replace('_', ' ')}`, {
    context: { ...contextOf(path), destination: path },
  });
}

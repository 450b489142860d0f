/** `git.log`. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { isRevision, resolveDirectory } from './names.ts';
import { openRepository } from './open-repository.ts';

export type LogInput = JsonObject & {
  readonly path: string;
  readonly limit?: number;
  readonly branch?: string;
  readonly since?: string;
  readonly author?: string;
};

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 500;
const MESSAGE_LENGTH_MAX = 4_096;
const FIELDS = ['%H', '%an', '%ae', '%aI', '%B'];

export async function log(input: LogInput, context: HandlerContext): Promise<HandlerResult> {
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, resolveDirectory(input.path), context.signal);
  const branch = input.branch ?? (await repository.branch()) ?? 'HEAD';
  const hash = isRevision(branch) ? await repository.resolve(branch) : undefined;
  if (hash === undefined) {
    // A branch without commits has a name already.
    if (input.branch === undefined) return { output: { commits: [], total_returned: 0, branch } };
    throw new CapabilityError(
      'BranchNotFound',
      `Cannot read the log of ${JSON.stringify(branch.slice(0, 100))}: the repository has no such branch`,
    );
  }
  const { stdout } = await repository.must('BranchNotFound', [
    'log',
    '-z',
    `--format=${FIELDS.join('%x00')}`,
    '--no-show-signature',
    '--no-color',
    '--no-mailmap',
    '--encoding=UTF-8',
    '--fixed-strings',
    '--regexp-ignore-case',
    `--max-count=${Math.min(input.limit ?? LIMIT_DEFAULT, LIMIT_MAX)}`,
    ...(input.since === undefined ? [] : [`--since=@${secondsOf(input.since)} +0000`]),
    ...(input.author === undefined ? [] : [`--author=${input.author}`]),
    hash,
    '--',
  ]);
  const commits = parseLog(stdout);
  return { output: { commits, total_returned: commits.length, branch } };
}

export function parseLog(listing: string): readonly JsonObject[] {
  const fields = listing.split('\0');
  const commits: JsonObject[] = [];
  for (let index = 0; index + FIELDS.length < fields.length + 1 && fields[index] !== ''; index += FIELDS.length) {
    const [hash = '', author_name = '', author_email = '', timestamp = '', message = ''] = fields.slice(index, index + FIELDS.length);
    commits.push({
      hash,
      short_hash: hash.slice(0, 7),
      message: message.trimEnd().slice(0, MESSAGE_LENGTH_MAX),
      author_name,
      author_email,
      timestamp: Number.isNaN(Date.parse(timestamp)) ? new Date(0).toISOString() : new Date(timestamp).toISOString(),
    });
  }
  return commits;
}

function secondsOf(since: string): number {
  const at = Date.parse(since);
  if (!Number.isNaN(at)) return Math.floor(at / 1_000);
  throw new CapabilityError('InvalidInput', 'Cannot read the log: since is no date', { context: { field: 'since' } });
}

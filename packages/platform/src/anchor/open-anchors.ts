/** Keeps heads of the audit where the operator said: in a file, at a webhook, in a git repository. */
import { readFile } from 'node:fs/promises';
import { type Anchors, type AnchorTarget, type Audit, createAnchors } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Config } from '../config/config.ts';
import { sign } from '../notify/webhook-target.ts';

/** Runs git with these arguments in a directory of the host; rejects when it fails. */
export type RunGit = (args: readonly string[], directory: string, signal: AbortSignal) => Promise<void>;

export type AnchorParts = {
  readonly audit: Audit;
  readonly config: Config['audit'];
  readonly now: () => number;
  /** Undefined where no git may be run. */
  readonly runGit: RunGit | undefined;
};

/** Faults: `unsupported` (a git repository, and no git may be run). */
export function openAnchors({ audit, config, now, runGit }: AnchorParts): Anchors {
  const targets = config.anchors.map((anchor): AnchorTarget => {
    if (anchor.kind === 'file') return { kind: 'file', path: anchor.path };
    if (anchor.kind === 'webhook')
      return { kind: 'webhook', url: anchor.url, post: (...post) => postSigned(anchor.secret_file, now, ...post) };
    if (runGit === undefined) throw new Fault('unsupported', `Cannot anchor the audit in ${anchor.directory}: no git may be run here`);
    return { kind: 'git', directory: anchor.directory, run: runGit };
  });
  return createAnchors({ audit, targets, everyMs: config.anchor_every, clock: { now } });
}

/** Signed as notices are. */
async function postSigned(secretFile: string, now: () => number, url: string, body: string, signal: AbortSignal): Promise<void> {
  const secret = (await readFile(secretFile, 'utf8')).trim();
  if (secret === '') throw new Error(`The file ${secretFile} is empty`);
  const headers = { 'content-type': 'application/json', 'warren-signature': sign(secret, now(), body) };
  const response = await fetch(url, { method: 'POST', redirect: 'error', headers, body, signal });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
}

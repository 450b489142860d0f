/** Keeps heads of the audit where the operator said: in a file, at a webhook, in a git repository. */
import { readFile } from 'node:fs/promises';
import { type AnchorStatus, type Anchors, type AnchorTarget, type Audit, createAnchors } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Config } from '../config/config-format.ts';
import { sign } from '../notify/webhook-target.ts';

/** Runs git with these arguments in a directory of the host; rejects when it fails. */
export type RunGit = (args: readonly string[], directory: string, signal: AbortSignal) => Promise<void>;

export type AnchorParts = {
  readonly audit: Audit;
  readonly config: Config['audit'];
  readonly now: () => number;
  /** Undefined where no git may be run. */
  readonly runGit: RunGit | undefined;
  /** What an operator should know: that an anchor fails, once for each reason, and that it does no more. */
  readonly say?: ((message: string) => void) | undefined;
};

/** The longest a timer of Node waits. */
const TIMER_MS_MAX = 2_147_483_647;

/** Faults: `unsupported` (a git repository, and no git may be run). */
export function openAnchors({ audit, config, now, runGit, say = () => {} }: AnchorParts): Anchors {
  const targets = config.anchors.map((anchor): AnchorTarget => {
    if (anchor.kind === 'file') return { kind: 'file', path: anchor.path };
    if (anchor.kind === 'webhook')
      return { kind: 'webhook', url: anchor.url, post: (...post) => postSigned(anchor.secret_file, now, ...post) };
    if (runGit === undefined) throw new Fault('unsupported', `Cannot anchor the audit in ${anchor.directory}: no git may be run here`);
    return { kind: 'git', directory: anchor.directory, run: runGit };
  });
  const told = new Map<number, string>();
  const tell = (statuses: readonly AnchorStatus[]): void => {
    for (const [index, { kind, target, lastError, behind }] of statuses.entries()) {
      if (lastError === told.get(index)) continue;
      say(
        lastError === undefined
          ? `The audit is anchored again: ${kind} ${target}`
          : `The audit cannot be anchored, ${behind} entries have no anchor: ${kind} ${target}: ${lastError}`,
      );
      if (lastError === undefined) told.delete(index);
      else told.set(index, lastError);
    }
  };
  const anchors: Anchors = createAnchors({
    ...{ audit, targets, everyMs: config.anchor_every, clock: { now } },
    // Asked for when the next attempt is planned, which is whenever one has ended; the first time nothing was attempted.
    later(ms, action) {
      const timer = setTimeout(action, Math.min(ms, TIMER_MS_MAX)).unref();
      queueMicrotask(() => tell(anchors.status()));
      return () => clearTimeout(timer);
    },
  });
  return anchors;
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

import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { Log } from '../observe/log.ts';
import type { Cursor } from './cursor.ts';
import type { Gap } from './gap.ts';
import { SupervisionFeed } from './supervision-feed.ts';
import type { Told } from './told.ts';

export type FeedsParts = { readonly kernel: Kernel; readonly platform: Platform | undefined; readonly log: Log };

/** What one follower may leave untaken. */
const QUEUE_MAX = 1_000;

/** A feed for each workspace that somebody follows. */
export class Feeds implements Disposable {
  readonly #parts: FeedsParts;
  readonly #feeds = new Map<WorkspaceId, SupervisionFeed>();

  constructor(parts: FeedsParts) {
    this.#parts = parts;
  }

  /** As `SupervisionFeed.follow`. Faults: `unsupported` where nothing acts for agents. */
  async *follow(
    workspace: WorkspaceId,
    after: Cursor | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Told | Gap | { readonly begin: Cursor }> {
    const feed = this.#feedOf(workspace);
    try {
      yield* feed.follow(after, signal);
    } finally {
      if (!feed.isFollowed) this.#close(workspace, feed);
    }
  }

  #feedOf(workspace: WorkspaceId): SupervisionFeed {
    const known = this.#feeds.get(workspace);
    if (known !== undefined) return known;
    const { kernel, platform, log } = this.#parts;
    if (platform === undefined) throw new Fault('unsupported', 'Cannot follow agents: no daemon runs');
    const feed: SupervisionFeed = new SupervisionFeed(
      { mine: kernel.workspace(workspace), audit: platform.audit, queueMax: QUEUE_MAX },
      (error) => {
        this.#close(workspace, feed);
        log.error('A feed of events failed', { stack: error instanceof Error ? error.stack : typeof error });
      },
    );
    this.#feeds.set(workspace, feed);
    return feed;
  }

  #close(workspace: WorkspaceId, feed: SupervisionFeed): void {
    feed[Symbol.dispose]();
    if (this.#feeds.get(workspace) === feed) this.#feeds.delete(workspace);
  }

  [Symbol.dispose](): void {
    for (const [workspace, feed] of this.#feeds) this.#close(workspace, feed);
  }
}

/**
 * Tells people of mistakes in policies: as long as those on disk are not in force, an alert that says why waits in each workspace they concern. It is changed when the mistakes
 * change, and goes when they are mended. What concerns every workspace is told in the first.
 */
import type { Alerts } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { tellStanding } from '../notify/standing-alert.ts';
import { ownerOf } from './policy-places.ts';
import type { FileProblem } from './read-yaml.ts';
import { sayProblem } from './say-problem.ts';

export type PolicyAlertsParts = {
  readonly alertsOf: (workspace: WorkspaceId) => Alerts;
  /** In which a life before may have left alerts. */
  readonly known: readonly WorkspaceId[];
  /** What could not be told: for the log. */
  readonly say: (message: string) => void;
};

/** Marks alerts as ours, also those of a life before. */
const ABOUT = 'policies';
const SHOWN_MAX = 5;

export class PolicyAlerts implements AsyncDisposable {
  readonly #parts: PolicyAlertsParts;
  readonly #told: Set<WorkspaceId>;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: PolicyAlertsParts) {
    this.#parts = parts;
    this.#told = new Set(parts.known);
  }

  /** Of the files on disk as they were read last. Resolves when it is told; never rejects. */
  tell(problems: readonly FileProblem[]): Promise<void> {
    this.#last = this.#last.then(() => this.#tell(problems));
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }

  async #tell(problems: readonly FileProblem[]): Promise<void> {
    const byWorkspace = new Map<WorkspaceId, FileProblem[]>();
    for (const problem of problems) {
      if (problem.severity !== 'error') continue;
      const workspace = ownerOf(problem.file) ?? DEFAULT_WORKSPACE;
      byWorkspace.set(workspace, [...(byWorkspace.get(workspace) ?? []), problem]);
    }
    for (const workspace of new Set([...this.#told, ...byWorkspace.keys()])) {
      const mistakes = byWorkspace.get(workspace) ?? [];
      await this.#tellOne(workspace, mistakes).catch((error: unknown) => this.#parts.say(`No alert says what is wrong with policies: ${String(error)}`)); // biome-ignore format: one line
      if (mistakes.length > 0) this.#told.add(workspace);
      else this.#told.delete(workspace);
    }
  }

  async #tellOne(workspace: WorkspaceId, mistakes: readonly FileProblem[]): Promise<void> {
    const alerts = this.#parts.alertsOf(workspace);
    await tellStanding(alerts, ABOUT, mistakes.length === 0 ? undefined : messageOf(mistakes));
  }
}

function messageOf(mistakes: readonly FileProblem[]): string {
  const shown = mistakes.slice(0, SHOWN_MAX).map((each) =>
    sayProblem(each)
      .replace(/[\p{Cc}\p{Cs}]/gu, '?')
      .slice(0, 500),
  );
  const rest = mistakes.length > SHOWN_MAX ? `\nand ${mistakes.length - SHOWN_MAX} more` : '';
  return `Policies on disk have mistakes; those before stay in force until they are mended\n${shown.join('\n')}${rest}`;
}

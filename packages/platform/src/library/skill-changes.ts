/**
 * Which skills are enabled is asked and said without waiting, as in the earlier system; what keeps it takes its time. Until it is kept what was said counts here, for every object of the workspace.
 */
import type { WorkspaceId } from '@warren/protocol';

type Change = { readonly isEnabled: boolean; readonly kept: Promise<void> };

export class SkillChanges {
  readonly #tell: (message: string) => void;
  readonly #changes = new Map<WorkspaceId, Map<string, Change>>();

  /** `tell`: hears of what could not be kept. */
  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /** `keep` is begun when what was said of this skill before is kept. */
  note(workspace: WorkspaceId, skill: string, isEnabled: boolean, keep: () => Promise<void>): void {
    const mine = this.#changes.get(workspace) ?? new Map<string, Change>();
    this.#changes.set(workspace, mine);
    const before = mine.get(skill)?.kept ?? Promise.resolve();
    const kept = before.then(keep).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#tell(`Skill ${skill} of workspace ${workspace} could not be ${isEnabled ? 'enabled' : 'disabled'}: ${why}`);
    });
    const change = { isEnabled, kept };
    mine.set(skill, change);
    void kept.then(() => {
      if (mine.get(skill) !== change) return; // Somebody said otherwise since.
      mine.delete(skill);
      if (mine.size === 0) this.#changes.delete(workspace);
    });
  }

  /** What was kept, with what was said since. */
  with(workspace: WorkspaceId, kept: readonly string[]): string[] {
    const ids = new Set(kept);
    for (const [skill, { isEnabled }] of this.#changes.get(workspace) ?? []) {
      if (isEnabled) ids.add(skill);
      else ids.delete(skill);
    }
    return [...ids];
  }

  /** When all is kept that was said. */
  async settled(workspace?: WorkspaceId): Promise<void> {
    const mine = workspace === undefined ? [...this.#changes.values()] : [this.#changes.get(workspace) ?? new Map<string, Change>()];
    await Promise.all(mine.flatMap((each) => [...each.values()].map(({ kept }) => kept)));
  }
}

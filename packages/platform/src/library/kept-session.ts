/** A session as a program holds it: for as long as it likes. What stands behind it may be closed meanwhile, and is opened again for what is written next; what was read stays as it was read. */
import type { Damage, EntryBody, Session, SessionEntry } from '../session/sessions.ts';

/** Opens the session for one step. */
export type UseSession = <Result>(act: (session: Session) => Promise<Result>) => Promise<Result>;

export class KeptSession implements Session {
  readonly id: string;
  readonly #use: UseSession;
  #seen: Session;

  constructor(seen: Session, use: UseSession) {
    this.id = seen.id;
    this.#seen = seen;
    this.#use = use;
  }

  get tip(): string | undefined {
    return this.#seen.tip;
  }

  get damage(): readonly Damage[] {
    return this.#seen.damage;
  }

  append(entries: readonly EntryBody[]): Promise<readonly SessionEntry[]> {
    return this.#with((session) => session.append(entries));
  }

  branch(entry: string): Promise<void> {
    return this.#with((session) => session.branch(entry));
  }

  path(): readonly SessionEntry[] {
    return this.#seen.path();
  }

  context(): readonly SessionEntry[] {
    return this.#seen.context();
  }

  entries(): readonly SessionEntry[] {
    return this.#seen.entries();
  }

  #with<Result>(act: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#use(async (session) => {
      this.#seen = session;
      return await act(session);
    });
  }
}

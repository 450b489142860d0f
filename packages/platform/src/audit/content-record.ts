/**
 * What decides and what can be called, in the audit: SHA-256 of policies, packs and configuration, as they are at a start and whenever one of them changes, with what it was before. The
 * entry is on disk before the change is in force.
 */
import type { Audit } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';

export type ContentName = 'policies' | 'packs' | 'mcp' | 'config' | 'hooks';
type Content = Partial<Record<ContentName, string>>;

const NAMES: readonly ContentName[] = ['policies', 'packs', 'mcp', 'config', 'hooks'];
const COMMON = { workspace: DEFAULT_WORKSPACE, actor: { kind: 'system' }, outcome: 'success' } as const;

export class ContentRecord {
  readonly #audit: Pick<Audit, 'append'>;
  readonly #before: Content;
  #content: Content = {};
  #isStarted = false;
  readonly #refused = new Map<ContentName, string>();

  private constructor(audit: Pick<Audit, 'append'>, before: Content) {
    this.#audit = audit;
    this.#before = before;
  }

  /** Knows from the audit what there was before. */
  static async open(audit: Pick<Audit, 'append' | 'search'>): Promise<ContentRecord> {
    const newest = { newest: true, limit: 1 };
    const found = await Promise.all([
      audit.search({ ...newest, kind: 'policy' }),
      audit.search({ ...newest, kind: 'system', action: 'daemon.*' }),
    ]);
    const last = found.flatMap(({ entries }) => entries).toSorted((one, other) => other.seq - one.seq)[0];
    const content: unknown = last?.details?.['content'];
    const known = Object(content) as Record<string, unknown>;
    const before = NAMES.flatMap((name) => (typeof known[name] === 'string' ? [[name, known[name]] as const] : []));
    return new ContentRecord(audit, Object.fromEntries(before));
  }

  /** Call it before the change is in force, and when it rejects leave it. Until `started` it is only remembered. */
  async change(name: ContentName, hash: string, details: JsonObject = {}): Promise<void> {
    this.#refused.delete(name);
    const before = this.#content[name];
    if (before === hash) return;
    if (this.#isStarted) {
      const content = { ...this.#content, [name]: hash };
      const kind = name === 'policies' ? 'policy' : 'system';
      const said = { ...details, before: before ?? null, after: hash, content };
      await this.#audit.append({ ...COMMON, kind, action: `daemon.${name}`, details: said });
    }
    this.#content = { ...this.#content, [name]: hash }; // Another may have changed meanwhile.
  }

  /** Says what is in force from now on, and what of it is not as it was when Warren last ran. */
  async started(version: string): Promise<void> {
    const changed = NAMES.filter((name) => this.#before[name] !== this.#content[name]);
    const was = Object.fromEntries(
      changed.map((name) => [name, { before: this.#before[name] ?? null, after: this.#content[name] ?? null }]),
    );
    const details = { version, changed: was, content: { ...this.#content } };
    await this.#audit.append({ ...COMMON, kind: 'system', action: 'daemon.started', details });
    this.#isStarted = true;
  }

  /** That what is on disk cannot be used, and so what was in force before stays. Once for each reason. */
  async refused(name: ContentName, why: string): Promise<void> {
    if (!this.#isStarted || this.#refused.get(name) === why) return;
    this.#refused.set(name, why);
    const kind = name === 'policies' ? 'policy' : 'system';
    const error = { type: 'refused', message: why };
    await this.#audit.append({
      ...COMMON,
      kind,
      action: `daemon.${name}`,
      outcome: 'failure',
      error,
      details: { content: { ...this.#content } },
    });
  }

  async stopped(): Promise<void> {
    if (this.#isStarted)
      await this.#audit.append({ ...COMMON, kind: 'system', action: 'daemon.stopped', details: { content: { ...this.#content } } });
  }
}

import type { EventRecord, TokenRecord } from '@warren/kernel';
import type { Asking, Known, Model, Moment, Part } from '../part.ts';
import { optional, somePid } from './processes.ts';

const LIFE_MS_MAX = 200_000;

type Kept = {
  readonly pid: number | undefined;
  readonly label: string;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  revokedAt: number | undefined;
};

/** `isValid`: what it was made for is allowed to who has the token itself. */
type Shown = Kept & { readonly id: string; readonly isValid: boolean | undefined };

class TokenModel implements Model {
  readonly #known: Known;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #all = new Map<string, Kept>();

  constructor(known: Known) {
    this.#known = known;
    this.#secrets = known.notes.secrets;
  }

  hear({ pid, at, kind, payload }: EventRecord): void {
    if (!kind.startsWith('kernel.token.')) return;
    const id = String(payload['token_id']);
    const before = this.#all.get(id);
    if (payload['principal'] !== (pid === undefined ? 'member' : 'process')) throw new Error(`Token ${id} is for somebody else`);
    if (kind === 'kernel.token.created') {
      if (before !== undefined) throw new Error(`Token ${id} was made twice`);
      if (pid !== undefined && !this.#known.processes.isAlive(pid)) throw new Error(`A token was made for process ${pid}, which is DEAD`);
      const [label, expiresAt] = [String(payload['label']), optional<number>(payload['expires_at'])];
      this.#all.set(id, { pid, label, createdAt: at, expiresAt, revokedAt: undefined });
    } else {
      if (before === undefined || before.revokedAt !== undefined) throw new Error(`Token ${id} was revoked, and was not there`);
      before.revokedAt = at;
    }
  }

  state({ now }: Moment): readonly Shown[] {
    const all = [...this.#all].map(([id, kept]): Shown => {
      const isExpired = kept.expiresAt !== undefined && kept.expiresAt <= now;
      const isValid = !isExpired && kept.revokedAt === undefined && (kept.pid === undefined || this.#known.processes.isAlive(kept.pid));
      return { id, ...kept, isValid: this.#secrets.has(id) ? isValid : undefined };
    });
    return all.toSorted(byId);
  }
}

export const tokens: Part = {
  name: 'tokens',
  weight: 1,

  asks: [
    async (asking) => await create(asking, undefined),
    async (asking) => await create(asking, somePid(asking)),
    async ({ kernel, random, notes }) => {
      const id = random.find([...notes.secrets.keys()]);
      if (id === undefined || (await kernel.tokens.revoke(id)).length === 0) return [];
      return [{ kind: 'kernel.token.revoked', payload: { token_id: id } }];
    },
  ],

  createModel: (known) => new TokenModel(known),

  async observe({ mine, kernel, notes }) {
    const all: Shown[] = [];
    for (const record of await kernel.tokens.list(mine.id)) {
      const { id, principal, label, createdAt, expiresAt, revokedAt } = record;
      const secret = notes.secrets.get(id);
      const isValid = secret === undefined ? undefined : isSame(await kernel.tokens.authenticate(secret), record);
      all.push({ id, pid: principal.kind === 'process' ? principal.pid : undefined, label, createdAt, expiresAt, revokedAt, isValid });
    }
    return all.toSorted(byId);
  },
};

async function create({ mine, kernel, random, notes, now }: Asking, pid: number | undefined) {
  const principal =
    pid === undefined
      ? ({ kind: 'member', workspace: mine.id, role: 'admin' } as const)
      : ({ kind: 'process', workspace: mine.id, pid } as const);
  const expiresAt = random.chance(0.5) ? now + random.below(LIFE_MS_MAX) : undefined;
  const { token, record } = await kernel.tokens.create(principal, { label: `n${random.below(1_000_000_000)}`, expiresAt });
  notes.secrets.set(record.id, token);
  return [{ kind: 'kernel.token.created', pid, payload: { token_id: record.id, expires_at: expiresAt ?? null } }];
}

function isSame(principal: TokenRecord['principal'] | undefined, record: TokenRecord): boolean {
  if (principal === undefined) return false;
  if (JSON.stringify(principal) !== JSON.stringify(record.principal)) throw new Error(`Token ${record.id} speaks for somebody else`);
  return true;
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

import type { Kernel, Principal, TokenRecord } from '@warren/kernel';
import { Fault, isFault, type MemberRole, type TokenId, type WorkspaceId } from '@warren/protocol';
import type { Call, HandlersOf } from './handler.ts';
import { toToken } from './record/token.ts';
import { toMsIfGiven } from './time.ts';

export function createTokenHandlers({ tokens }: Kernel): HandlersOf<'token.'> {
  return {
    async 'token.create'({ pid, agent, role, label, owner, groups, expires_at }, { workspace, principal: by, caller: { tokenId } }) {
      // Owner and groups say who counts as whom and who may approve what: whoever could choose them could approve everything alone.
      const maker = by.kind === 'operator' ? undefined : await makerOf(tokens, tokenId);
      const principal = holderOf(workspace, { pid, agent, role });
      const { token, record } = await tokens.create(principal, { label, owner, groups, expiresAt: toMsIfGiven(expires_at), maker });
      return { ...toToken(record), token };
    },

    async 'token.create_operator'({ label, owner, groups, expires_at }) {
      const { token, record } = await tokens.create({ kind: 'operator' }, { label, owner, groups, expiresAt: toMsIfGiven(expires_at) });
      return { ...toToken(record), token };
    },

    async 'token.list'(_params, call) {
      return { tokens: (await tokens.list(seesAll(call) ? undefined : call.workspace)).map(toToken) };
    },

    /** What the caller could not list is to it as if it did not exist. */
    async 'token.revoke'({ token_id }, call) {
      const record = await findToken(tokens, token_id);
      const isSeen = record !== undefined && (seesAll(call) || workspaceOf(record) === call.workspace);
      const [first, ...made] = isSeen ? await tokens.revoke(token_id) : [];
      return { revoked: first !== undefined, also_revoked: made };
    },
  };
}

/** Throws `invalid_argument` when it is said to be of several. */
function holderOf(
  workspace: WorkspaceId,
  { pid, agent, role }: { readonly pid: number | undefined; readonly agent: string | undefined; readonly role: MemberRole | undefined },
): Principal {
  if ([pid, agent, role].filter((each) => each !== undefined).length > 1) {
    throw new Fault(
      'invalid_argument',
      'Cannot create a token: it is for a process, for an agent or for a member with a role, not for several',
      { details: { field: 'pid' } },
    );
  }
  if (pid !== undefined) return { kind: 'process', workspace, pid };
  return agent === undefined ? { kind: 'member', workspace, role: role ?? 'admin' } : { kind: 'agent', workspace, agent };
}

async function makerOf(tokens: Kernel['tokens'], id: TokenId | undefined): Promise<TokenRecord> {
  if (id === undefined) throw new Error('Somebody who is no operator came in without a token');
  return await tokens.get(id);
}

function seesAll({ principal, isWorkspaceNamed }: Call): boolean {
  return principal.kind === 'operator' && !isWorkspaceNamed;
}

function workspaceOf({ principal }: TokenRecord): string | undefined {
  return principal.kind === 'operator' ? undefined : principal.workspace;
}

async function findToken(tokens: Kernel['tokens'], id: string): Promise<TokenRecord | undefined> {
  try {
    return await tokens.get(id);
  } catch (error) {
    if (isFault(error, 'not_found')) return undefined;
    throw error;
  }
}

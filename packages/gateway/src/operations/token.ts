import type { Kernel, Principal, TokenRecord } from '@warren/kernel';
import { isFault, type TokenId } from '@warren/protocol';
import type { Call, HandlersOf } from './handler.ts';
import { toToken } from './record/token.ts';
import { toMsIfGiven } from './time.ts';

export function createTokenHandlers({ tokens }: Kernel): HandlersOf<'token.'> {
  return {
    async 'token.create'({ pid, label, owner, groups, expires_at }, { workspace, principal: by, caller: { tokenId } }) {
      // Owner and groups say who counts as whom and who may approve what: whoever could choose them could approve everything alone.
      const maker = by.kind === 'operator' ? undefined : await makerOf(tokens, tokenId);
      const principal: Principal = pid === undefined ? { kind: 'member', workspace } : { kind: 'process', workspace, pid };
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
      return { revoked: isSeen && (await tokens.revoke(token_id)) };
    },
  };
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

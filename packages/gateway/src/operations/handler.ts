import type { Principal, WorkspaceKernel } from '@warren/kernel';
import type { JsonObject, TokenId, WorkspaceId } from '@warren/protocol';
import type { OperationName, Params, Result } from '@warren/protocol/contract';

/** Whoever makes a call, as people know them. */
export type CallerName = {
  readonly principal: Principal;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly tokenId: TokenId | undefined;
  /** As `Caller` has it. */
  readonly notify?: ((method: string, params: JsonObject) => void) | undefined;
};

/** What a handler knows of a call besides its parameters. Whoever makes it was found allowed to. */
export type Call = {
  readonly principal: Principal;
  readonly caller: CallerName;
  readonly workspace: WorkspaceId;
  /** Whether the caller asked for that workspace, or it is the one it has. */
  readonly isWorkspaceNamed: boolean;
  readonly mine: WorkspaceKernel;
  /** Fires when the caller is gone. What is being done is finished when the daemon stops, within its drain. */
  signal(): AbortSignal;
  /** For a call that waits for something to happen: fires when the daemon stops, too. Takes one of the places its caller has for such calls. Throws `busy`. */
  waiting(): AbortSignal;
};

/** Parameters and results are as on the wire; a handler calls the kernel and translates, and decides nothing. */
export type Handler<Name extends OperationName> = (params: Params<Name>, call: Call) => Promise<Result<Name>>;

export type Handlers = { readonly [Name in OperationName]: Handler<Name> };

/** Those of the operations whose names begin so. */
export type HandlersOf<Prefix extends string> = {
  readonly [Name in OperationName as Name extends `${Prefix}${string}` ? Name : never]: Handler<Name>;
};

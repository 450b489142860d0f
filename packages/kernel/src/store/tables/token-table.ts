export type TokenTableReads = object;
export type TokenTable = TokenTableReads;

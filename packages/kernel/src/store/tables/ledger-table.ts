export type LedgerTableReads = object;
export type LedgerTable = LedgerTableReads;

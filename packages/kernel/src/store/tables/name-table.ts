export type NameTableReads = object;
export type NameTable = NameTableReads;

export type FileTableReads = object;
export type FileTable = FileTableReads;

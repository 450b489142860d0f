export type QueueTableReads = object;
export type QueueTable = QueueTableReads;

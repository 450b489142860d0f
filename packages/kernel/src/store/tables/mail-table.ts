export type MailTableReads = object;
export type MailTable = MailTableReads;

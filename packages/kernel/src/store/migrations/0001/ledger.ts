export const LEDGER = ``;

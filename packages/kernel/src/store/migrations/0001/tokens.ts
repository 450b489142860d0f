export const TOKENS = ``;

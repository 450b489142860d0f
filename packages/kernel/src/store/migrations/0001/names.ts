export const NAMES = ``;

export const FILES = ``;

export const QUEUE = ``;

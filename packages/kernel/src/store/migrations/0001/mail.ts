export const MAIL = ``;

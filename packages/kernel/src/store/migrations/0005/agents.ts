/** How an agent thinks, as data that only its runners read. Null: it is a program that connects by itself. */
export const PROGRAMS = `
ALTER TABLE agents ADD COLUMN program TEXT;
`;

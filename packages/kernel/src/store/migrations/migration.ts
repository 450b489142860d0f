/** A step from one shape of the store to the next. Numbered, forward only, and frozen once released: its checksum is kept with each store. */
export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

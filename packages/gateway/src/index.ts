/** How programs reach Warren: adapters only. */
export {};

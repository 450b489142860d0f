/** The library, re-exported by the published package. */
export {};

/** Talks to a Warren daemon. */
export {};

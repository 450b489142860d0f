/** What a mounted server may be called. It is also the name of its files. */
export const SERVER_NAME = /^[a-z][a-z0-9_]{0,31}$/;

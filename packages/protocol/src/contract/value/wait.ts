/** How long one call may wait for something to happen. Who wants to wait longer calls again. */
export const WAIT_MS_MAX = 60_000;

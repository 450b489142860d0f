import type { Client } from '@warren/client';

/** Calls one operation about one workspace. */
export type CallDaemon = Client['call'];

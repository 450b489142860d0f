import type { OperationJournal } from '@warren/kernel';
import type { Platform, RunNetwork } from '@warren/platform';
import type { Identity } from './authenticate.ts';

/** Ways out of sandboxes that people run, by the id that their connections name, and what opens and records them. */
export type OpenRunNetworks = {
  readonly platform: Pick<Platform, 'runNetworks'>;
  readonly journal: OperationJournal;
  readonly open: Map<string, { readonly network: RunNetwork; readonly identity: Identity }>;
};

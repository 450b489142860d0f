import type { NameEntry as NameRecord } from '@warren/kernel';
import type { NameEntry } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toName({ name, pid, tags, metadata, registeredAt }: NameRecord): NameEntry {
  return { name, pid, tags, metadata, registered_at: toSeconds(registeredAt) };
}

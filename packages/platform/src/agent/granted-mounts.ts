/** What of `/workspace` a process sees, from its path grants. Pure. */
import type { PathGrant } from './path-grant.ts';
import { isWithin } from './path-grant.ts';

export const WORKSPACE = '/workspace';

export type GrantedMount = {
  /** Below the directory of the workspace, without a leading slash; empty: all of it. */
  readonly path: string;
  readonly isWritable: boolean;
};

/**
 * The places to mount, parents before what lies in them. A place inside another is left out when it adds nothing; a writable place inside
 * a read-only one is a mount of its own on top of it.
 */
export function grantedMounts(grants: readonly PathGrant[]): readonly GrantedMount[] {
  const mounts: GrantedMount[] = [];
  for (const { prefix, mode } of grants.map(clip).toSorted(byPlace)) {
    if (!isWithin(prefix, WORKSPACE)) continue;
    const path = prefix.slice(WORKSPACE.length + 1);
    const isWritable = mode === 'rw';
    const isCovered = mounts.some((mount) => isWithin(prefix, placeOf(mount)) && (mount.isWritable || !isWritable));
    if (!isCovered) mounts.push({ path, isWritable });
  }
  return mounts;
}

function placeOf({ path }: GrantedMount): string {
  return path === '' ? WORKSPACE : `${WORKSPACE}/${path}`;
}

/** A grant of `/` is one of all of the workspace, as far as files of it go. */
function clip(grant: PathGrant): PathGrant {
  return grant.prefix === '/' ? { prefix: WORKSPACE, mode: grant.mode } : grant;
}

/** Shorter names first, so parents come before what lies in them; of the same place the writable one. */
function byPlace(a: PathGrant, b: PathGrant): number {
  return a.prefix.length - b.prefix.length || (a.mode === b.mode ? 0 : a.mode === 'rw' ? -1 : 1);
}

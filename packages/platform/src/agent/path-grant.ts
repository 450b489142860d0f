/** A path with all below it, to read or to read and write. */
export type PathGrant = { readonly prefix: string; readonly mode: 'r' | 'rw' };

/** Whether a path is the prefix or lies below it. Both are absolute and canonical. */
export function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix === '/' ? '/' : `${prefix}/`);
}

export function isGranted(grants: readonly PathGrant[], path: string, mode: 'r' | 'rw'): boolean {
  return grants.some((grant) => (grant.mode === 'rw' || mode === 'r') && isWithin(path, grant.prefix));
}

/** Whether a path is this one or below it. Both are canonical. */
export function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix === '/' || path.charCodeAt(prefix.length) === SLASH;
}

const SLASH = 47;

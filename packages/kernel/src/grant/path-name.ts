const BYTES_MAX = 4_096;

/**
 * An absolute path in the one form it is compared in: no `.`, `..`, double slash or slash at the end. Undefined for what is no absolute path.
 *
 * A path here is a name in the agent's own tree. Where a symbolic link leads is not looked at: links are followed inside the agent's walls
 * only, where there is nothing to reach but that tree.
 */
export function canonicalPath(text: unknown): string | undefined {
  if (typeof text !== 'string' || !text.startsWith('/') || text.length > BYTES_MAX) return undefined;
  if (/[\p{Cc}\p{Cs}]/u.test(text) || Buffer.byteLength(text) > BYTES_MAX) return undefined;
  const names: string[] = [];
  for (const name of text.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

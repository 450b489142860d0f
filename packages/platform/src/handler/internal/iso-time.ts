/** Times as capabilities say them: RFC 3339 in UTC. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

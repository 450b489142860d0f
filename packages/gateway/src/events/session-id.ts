/** A session of an agent is one of its processes. */
export function sessionId(pid: number): string {
  return `sess-${pid}`;
}

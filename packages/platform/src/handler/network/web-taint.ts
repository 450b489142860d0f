/** What came from a host may say whatever that host wants an agent to do. */
export function webTaint(url: string): readonly string[] {
  return ['web', `web:${new URL(url).hostname}`];
}

/**
 * Channels on which Warren itself tells a process something. No pattern matches them (a colon is in none), and agents neither publish on them nor subscribe to
 * them.
 */
const PREFIX = 'warren:';

export function ownChannel(what: string, pid: number): string {
  return `${PREFIX}${what}:${pid}`;
}

export function isOwnChannel(channel: string): boolean {
  return channel.startsWith(PREFIX);
}

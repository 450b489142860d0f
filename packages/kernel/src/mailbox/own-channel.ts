/**
 * Channels on which Warren itself tells a process something. No pattern matches them (a colon is in none), and nobody else publishes on them or subscribes to them:
 * handlers do that in the name of the process that asked.
 */
const PREFIX = 'warren:';

export function ownChannel(what: string, pid: number, id?: string): string {
  return `${PREFIX}${what}:${pid}${id === undefined ? '' : `:${id}`}`;
}

export function isOwnChannel(channel: string): boolean {
  return channel.startsWith(PREFIX);
}

import { userInfo } from 'node:os';

/** Of the user this process runs as; its number where the machine has no name for it. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // Not every number has a name.
  }
}

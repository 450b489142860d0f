/** What to do about a state directory of somebody else. */
import { statSync } from 'node:fs';

export function ownerAdvice(stateDirectory: string): string {
  return `run it as ${ownerWord(stateDirectory)}, or choose a state directory of your own with --state`;
}

function ownerWord(path: string): string {
  try {
    const { uid } = statSync(path);
    return uid === 0 ? 'root, with sudo' : `user ${uid}, as in: sudo -u '#${uid}' warren`;
  } catch {
    return 'the user it belongs to'; // What stands above it is closed too.
  }
}

/** Takes a lock, says `locked` or `busy`, and waits to be killed. */
import { RunLock } from '../run-lock.ts';

try {
  RunLock.acquire(process.argv[2] ?? '', 'x');
  process.stdout.write('locked\n');
} catch {
  process.stdout.write('busy\n');
}
setInterval(() => {}, 60_000);

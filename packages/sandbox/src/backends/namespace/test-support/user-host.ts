/**
 * A host process of a user without rights, with a backend of its own: loads everything as whoever started it, becomes the user, then runs the cases it is
 * asked for, one at a time. Started by `user.real.test.ts` with the arguments LAUNCHER and UID.
 */
import { runCase } from './user-cases.ts';

const [launcher = '', uid = ''] = process.argv.slice(2);

if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
for (const name of Object.keys(process.env)) delete process.env[name]; // One by one: assigning an object would leave the real environment as it is.
Object.assign(process.env, { PATH: '/usr/bin:/bin', HOME: '/nonexistent' });
process.chdir('/');

process.on('message', (title: string) => {
  void runCase(title, launcher).then(
    (skipped) => process.send?.({ title, skipped }),
    (error: unknown) => process.send?.({ title, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.once('disconnect', () => process.exit());
process.send?.({ title: 'ready' });

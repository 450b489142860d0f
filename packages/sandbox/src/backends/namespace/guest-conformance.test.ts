import { describe, it } from 'vitest';
import { guestConformance } from '../../guest/guest-conformance.ts';
import { openSandboxes } from './open-sandboxes.ts';

guestConformance({ describe, it }, 'pid 1 behind the walls', async () => {
  const sandboxes = await openSandboxes();
  const sandbox = await sandboxes.start({});
  await sandbox.mkdir('/tmp/guest');
  return { guest: sandbox, directory: '/tmp/guest', gaps: {}, [Symbol.asyncDispose]: () => sandboxes[Symbol.asyncDispose]() };
});

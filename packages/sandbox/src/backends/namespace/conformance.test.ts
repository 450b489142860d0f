/** The same cases as the fake guest's, against real sandboxes, on every kind of host there is: with and without cgroups, as root and as a user. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Sandboxes } from '../../contract.ts';
import { guestConformance } from '../../guest/test-support/guest-conformance.ts';
import { openTestSandboxes, type TestingOptions } from './open-sandboxes.ts';
import { sandboxSubject } from './test-support/sandbox-subject.ts';

const HOSTS = [
  { name: 'A sandbox with every cgroup', testing: {}, kind: 'overlay' },
  { name: 'A sandbox with v1 cgroups and a subreaper', testing: { cgroups: 'v1' }, kind: 'writable' },
  { name: 'A sandbox without cgroups', testing: { cgroups: 'none' }, kind: 'overlay' },
] as const satisfies readonly { name: string; testing: TestingOptions; kind: 'overlay' | 'writable' }[];

for (const { name, testing, kind } of HOSTS) {
  describe(name, () => {
    let sandboxes: Sandboxes;

    beforeAll(async () => {
      sandboxes = await openTestSandboxes(testing);
    });
    afterAll(() => sandboxes[Symbol.asyncDispose]());

    guestConformance({ describe, it }, name, () => sandboxSubject(sandboxes, kind));
  });
}

import { openTestSandboxes } from '../open-sandboxes.ts';
import { TestWorkspace } from './workspace.ts';

for (const owner of [0, 12345, 100000]) {
  await using w = await TestWorkspace.create(owner);
  await using s = await openTestSandboxes({});
  await using b = await s.start({ workspace: w.mount('overlay') });
  const r = await b.run(['sh', '-c', 'ls -lan /workspace; grep workspace /proc/self/mountinfo; echo x > /workspace/a; ls -lan /workspace']);
  console.log(owner, new TextDecoder().decode(r.stdout), r.exit, new TextDecoder().decode(r.stderr));
}

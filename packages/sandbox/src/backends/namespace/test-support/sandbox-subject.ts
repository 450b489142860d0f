/** A real sandbox as the subject of the guest's conformance cases. */
import type { Sandboxes, SandboxSpec, WorkspaceMount } from '../../../contract.ts';
import type { GuestSubject } from '../../../guest/test-support/guest-conformance.ts';
import { TestWorkspace } from './workspace.ts';

export async function sandboxSubject(sandboxes: Sandboxes, kind: WorkspaceMount['kind'], spec: SandboxSpec = {}): Promise<GuestSubject> {
  const workspace = await TestWorkspace.create();
  const sandbox = await sandboxes.start({ ...spec, workspace: workspace.mount(kind) });
  return {
    guest: sandbox,
    directory: '/workspace',
    gaps: {},
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await workspace[Symbol.asyncDispose]();
    },
  };
}

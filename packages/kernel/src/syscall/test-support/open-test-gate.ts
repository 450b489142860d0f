/** A gate on a real kernel and store, with capabilities, policy and audit that a test owns. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { Audit } from '../../audit/audit.ts';
import type { Policy } from '../../policy/policy.ts';
import type { GrantSet } from '../../store/tables/grant-table.ts';
import { openTestKernel, type TestKernel } from '../../test-support/open-test-kernel.ts';
import type { Answer, CallRequest, Gate } from '../gate.ts';
import type { GateOptions } from '../gate-parts.ts';
import { MemoryAudit } from './memory-audit.ts';
import { TestCapabilities } from './test-capabilities.ts';
import { createTestPolicy } from './test-policy.ts';

const EVERYTHING: Partial<GrantSet> = { tools: ['*'], paths: [{ prefix: '/', mode: 'rw' }], hosts: ['*'] };

export type TestGate = AsyncDisposable & {
  readonly test: TestKernel;
  readonly gate: Gate;
  readonly audit: MemoryAudit;
  readonly capabilities: TestCapabilities;
  policy: Policy;
  /** A READY process that may call everything. */
  start(options?: { readonly agent?: string; readonly grants?: Partial<GrantSet> }): Promise<number>;
  call(pid: number, capability: string, more?: Partial<CallRequest>, signal?: AbortSignal): Promise<Answer>;
  /** As after a restart; the audit is what is on disk. */
  restart(): Promise<void>;
};

export async function openTestGate(
  options: Partial<GateOptions> = {},
  kernelOptions: Parameters<typeof openTestKernel>[0] = {},
): Promise<TestGate> {
  const test = await openTestKernel(kernelOptions);
  const audit = new MemoryAudit();
  const capabilities = new TestCapabilities();
  const mine = {
    policy: createTestPolicy({}),
  };
  const open = async (): Promise<Gate> => {
    const opened = await test.kernel.openGate({
      capabilities,
      policyOf: () => mine.policy,
      audit: audit as Pick<Audit, 'append' | 'check' | 'search'>,
      limits: { graceMs: 20 },
      ...options,
    });
    await opened.begin();
    return opened;
  };
  let gate = await open();
  return {
    test,
    audit,
    capabilities,
    get gate() {
      return gate;
    },
    get policy() {
      return mine.policy;
    },
    set policy(policy) {
      mine.policy = policy;
    },
    async start({ agent = 'ada', grants = EVERYTHING } = {}) {
      const { pid } = await test.mine.processes.create({ name: 'test', template: 'test', agent });
      await test.mine.grants.create(pid, grants);
      return pid;
    },
    call: (pid, capability, more, signal) => gate.call(DEFAULT_WORKSPACE, { pid, capability, input: {}, ...more }, signal),
    async restart() {
      await gate.close();
      await test.reopen();
      gate = await open();
    },
    async [Symbol.asyncDispose]() {
      await gate.close();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** Checks a pack, or Warren's own definitions, and runs their examples: real calls through a real gate, in a state directory that goes away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel } from '@warren/kernel';
import { lintDefinitions, openPlatform, type Platform, type Problem, shippedDefinitions, testCapability } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';

export type PackReport = {
  readonly capabilities: number;
  readonly problems: readonly Problem[];
  readonly examples: readonly {
    readonly capability: string;
    readonly description: string;
    readonly isPassed: boolean;
    readonly reason: string | undefined;
  }[];
  readonly isPassed: boolean;
};

/** Undefined: Warren's own. */
export async function testPack(folder: string | undefined, signal: AbortSignal): Promise<PackReport> {
  const builtin = await shippedDefinitions();
  const directory = await mkdtemp(join(tmpdir(), 'warren-capability-'));
  try {
    await using kernel = await openKernel({ directory });
    await using platform = await openPlatform({ kernel, directory, openSandboxes: () => openSandboxes(), isWatching: false });
    const name = folder === undefined ? undefined : (await platform.packs.install({ kind: 'folder', folder }, signal)).name;
    await platform.capabilities.reload();
    const definitions = platform.capabilities.definitions().filter(({ pack }) => pack === name);
    const problems = [...(name === undefined ? builtin.problems : platform.capabilities.problems()), ...lintDefinitions(definitions)];
    const examples = [];
    for (const definition of definitions) {
      const tested = await testCapability(
        definition,
        (capability, example, ending) => callOnce({ kernel, platform }, capability, example, ending),
        signal,
      );
      for (const example of tested.examples) examples.push({ capability: definition.name, ...example });
    }
    const isPassed = examples.every((example) => example.isPassed) && !problems.some(({ severity }) => severity === 'error');
    return { capabilities: definitions.length, problems, examples, isPassed };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const TESTER = { name: 'test', groups: [], isOperator: true } as const;
const EXAMPLE_MS_MAX = 600_000;

let agents = 0;

/** As an agent of its own that may do everything within its workspace, and with somebody who says yes to it. */
async function callOnce(
  { kernel, platform }: { readonly kernel: Kernel; readonly platform: Platform },
  capability: string,
  { input, setup }: { readonly input: object; readonly setup: Readonly<Record<string, string>> },
  signal: AbortSignal,
) {
  const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' as const }], hosts: [], models: [], subAgents: false };
  const { pid } = await platform.agents.start(DEFAULT_WORKSPACE, { agent: `example-${++agents}`, grants, budgets: {} });
  const call = async (name: string, given: object) =>
    await platform.gate.call(
      DEFAULT_WORKSPACE,
      { pid, capability: name, input: given as Parameters<Platform['gate']['call']>[1]['input'] },
      signal,
    );
  for (const [path, content] of Object.entries(setup)) await call('filesystem.write', { path, content, create_parents: true });
  const answer = await call(capability, input);
  if (answer.kind !== 'pending') return answer;
  await kernel.workspace(DEFAULT_WORKSPACE).approvals.approve(answer.approvalId, TESTER);
  const approved = await platform.gate.result(DEFAULT_WORKSPACE, answer.callId, { waitMs: EXAMPLE_MS_MAX }, signal);
  return approved.kind === 'pending' ? ({ kind: 'failed', error: { type: 'Timeout', message: 'it took too long' } } as const) : approved;
}

/** The tests that policy files carry: calls, and what is to be decided about them. */
import { type CallFacts, createPolicy, NO_FACTS, type Policy, type Tier } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import type { ParsedPolicies } from './parse-policies.ts';
import type { PolicyDocument } from './policy-document.ts';

export type PolicyTestResult = {
  readonly file: string;
  readonly name: string;
  readonly isPassed: boolean;
  readonly expected: { readonly tier: Tier; readonly rule: string | undefined };
  readonly found: { readonly tier: Tier; readonly rule: string | undefined };
};

export type PolicyTestParts = {
  readonly policy: Policy;
  readonly file: string;
  readonly tests: PolicyDocument['tests'];
  readonly now: number;
  /** What a capability is and what such a call is about; undefined for an unknown one. */
  readonly describe: (
    capability: string,
    input: JsonObject,
  ) => { readonly tags: readonly string[]; readonly defaultTier: Tier; readonly facts: CallFacts } | undefined;
};

/** Limits count nothing here: each test is the first call. */
export function runPolicyTests({ policy, file, tests, now, describe }: PolicyTestParts): readonly PolicyTestResult[] {
  return tests.map(({ name, agent, capability, input, taint, at, expect }) => {
    const known = describe(capability, input as JsonObject) ?? { tags: [], defaultTier: 'approval_required', facts: NO_FACTS }; // YAML has no other values.
    const time = at === undefined ? now : Date.parse(at);
    const request = { capability, agent, input: input as JsonObject, taint, at: time, ...known }; // As above.
    const decision = policy.decide(request, () => ({ amount: 0, oldestAt: undefined }));
    const found = { tier: decision.tier, rule: decision.rule?.rule };
    const isPassed = found.tier === expect.tier && (expect.rule === undefined || expect.rule === found.rule);
    return { file, name, isPassed, expected: { tier: expect.tier, rule: expect.rule }, found };
  });
}

/** Those of all files. What a capability is about is read by the definitions that ship; of others nothing is known. */
export function testPolicies(parsed: ParsedPolicies, now: number, describe: PolicyTestParts['describe']): readonly PolicyTestResult[] {
  const workspaces = new Map<string | undefined, Policy>();
  const policyFor = (workspace: string | undefined): Policy => {
    const files = parsed.loaded
      .filter(({ found }) => found.workspace === undefined || found.workspace === workspace)
      .map(({ policy }) => policy);
    const known = workspaces.get(workspace) ?? createPolicy(files, { version: parsed.version, workspace });
    workspaces.set(workspace, known);
    return known;
  };
  return parsed.loaded.flatMap(({ found, tests }) =>
    runPolicyTests({ policy: policyFor(found.workspace ?? DEFAULT_WORKSPACE), file: found.file, tests, now, describe }),
  );
}

/** Cedar's own package, with the policies parsed once and kept (its slower calls parse them every time). */
import cedar from '@cedar-policy/cedar-wasm/nodejs';

export type CedarRequest = { readonly agent: string; readonly capability: string; readonly context: Readonly<Record<string, string>> };

export class Cedar {
  readonly #name: string;

  constructor(name: string, policies: readonly string[]) {
    this.#name = name;
    const answer = cedar.preparsePolicySet(name, {
      staticPolicies: Object.fromEntries(policies.map((policy, index) => [`policy-${index}`, policy])),
    });
    if (answer.type === 'failure') throw new Error(`Cedar refuses the policies: ${answer.errors[0]?.message}`);
  }

  allows({ agent, capability, context }: CedarRequest): boolean {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Agent', id: agent },
      action: { type: 'Action', id: capability },
      resource: { type: 'Machine', id: 'this' },
      context,
      entities: [],
      preparsedPolicySetId: this.#name,
    });
    if (answer.type === 'failure') throw new Error(`Cedar cannot decide: ${answer.errors[0]?.message}`);
    return answer.response.decision === 'allow';
  }
}

/** Capabilities of tests: each with an implementation that a test hands in. */
import type { JsonObject } from '../../internal/json.ts';
import { NO_FACTS } from '../../policy/policy.ts';
import type { ActContext, Acted, Capability, CapabilityTable } from '../capability.ts';

export type TestCapability = Partial<Omit<Capability, 'name' | 'act'>> & { readonly act?: (context: ActContext) => Promise<Acted> | Acted };

export class TestCapabilities implements CapabilityTable {
  revision = 0;
  readonly #all = new Map<string, Capability>();

  define(name: string, capability: TestCapability = {}): void {
    this.revision += 1;
    const act = capability.act ?? (() => ({ kind: 'done', output: {} }));
    this.#all.set(name, {
      name,
      version: '1.0.0',
      effect: 'read',
      defaultTier: 'autonomous',
      tags: [],
      deadlineMs: { default: 60_000, max: 600_000 },
      concurrencyMax: 64,
      taints: [],
      parse: (input) => ({ kind: 'valid', input }),
      facts: () => NO_FACTS,
      redact: (input) => input,
      redactWhole: (input) => capability.redact?.(input) ?? input,
      ...capability,
      act: async (context) => await act(context),
    });
  }

  remove(name: string): void {
    this.#all.delete(name);
  }

  find(name: string): Capability | undefined {
    return this.#all.get(name);
  }

  list(): readonly Capability[] {
    return [...this.#all.values()];
  }
}

export function done(output: JsonObject = {}): Acted {
  return { kind: 'done', output };
}

/** Step 1: which capability is asked for. */
import { type GateError, gateError } from './call-error.ts';
import type { Capability, CapabilityTable } from './capability.ts';

export type Resolved =
  | { readonly kind: 'resolved'; readonly capability: Capability }
  | { readonly kind: 'refused'; readonly error: GateError };

const SUGGESTIONS_MAX = 5;

export function resolveCall(capabilities: CapabilityTable, name: string): Resolved {
  const capability = capabilities.find(name);
  if (capability !== undefined) return { kind: 'resolved', capability };
  const shown = name.slice(0, 80).toWellFormed();
  const close = closest(capabilities, name);
  const hint = close.length === 0 ? '' : ` Close to it: ${close.join(', ')}.`;
  return {
    kind: 'refused',
    error: gateError('UnknownCapability', {
      message: `Cannot call ${JSON.stringify(shown)}: there is no capability of this name`,
      agentMessage: `There is no capability named ${JSON.stringify(shown)}.${hint} Ask for the list of capabilities you may call and use a name from it.`,
      recovery: [
        { action: 'list_capabilities', description: 'List the capabilities you may call', capability: 'agent.capabilities' },
        ...close.map((each) => ({ action: 'use_capability', description: `Call ${each} instead`, capability: each })),
      ],
      context: { capability: shown },
    }),
  };
}

/** Those of the same category, and those whose last word is the same; of those the ones that begin alike. */
function closest(capabilities: CapabilityTable, name: string): readonly string[] {
  const [category = '', word = ''] = name
    .slice(0, 256)
    .toLowerCase()
    .split(/[._-]+/, 2);
  const scored = capabilities.list().flatMap((each) => {
    const [itsCategory = '', itsWord = ''] = each.name.split('.', 2);
    const score = (itsCategory === category ? 1 : 0) + (itsWord === word && word !== '' ? 2 : 0) + (itsWord === category ? 2 : 0);
    return score === 0 ? [] : [{ name: each.name, score: score + alike(itsWord, word) / 256 }];
  });
  return scored
    .toSorted((one, other) => other.score - one.score || (one.name < other.name ? -1 : 1))
    .slice(0, SUGGESTIONS_MAX)
    .map((each) => each.name);
}

/** How many characters they begin with in common. */
function alike(one: string, other: string): number {
  let at = 0;
  while (at < one.length && at < 255 && one[at] === other[at]) at += 1;
  return at;
}

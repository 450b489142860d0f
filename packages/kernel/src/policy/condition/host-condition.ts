import { coversHosts, readHostPattern } from '@warren/protocol';
import type { CallFacts, HostCondition } from '../policy.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { type Quantifier, quantify, truthOf } from './truth.ts';

type HostFact = CallFacts['hosts'][number];

export function compileHost(condition: HostCondition, quantifier: Quantifier): CompiledCondition {
  const matches = condition.matches?.map(readHostPattern);
  const notMatches = condition.notMatches?.map(readHostPattern);
  const test = ({ host, port }: HostFact): boolean => {
    const fact = { scope: 'host', host, port } as const;
    return (
      (matches === undefined || matches.some((pattern) => coversHosts(pattern, fact))) &&
      (notMatches === undefined || !notMatches.some((pattern) => coversHosts(pattern, fact)))
    );
  };
  return ({ request }) => quantify(request.facts.hosts, quantifier, (fact) => truthOf(test(fact)));
}

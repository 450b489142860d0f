/** Whether a secret may be used for this. */
import { isAllowed, parseGrantSet, type SecretBindings } from '@warren/kernel';
import type { SecretUse } from './secrets.ts';

export function isBound({ hosts, capabilities, skills }: SecretBindings, use: SecretUse): boolean {
  switch (use.kind) {
    case 'request': {
      const grants = parseGrantSet({ hosts, tools: capabilities });
      return (
        isAllowed(grants, { kind: 'host', host: use.host, port: use.port }) && isAllowed(grants, { kind: 'tool', tool: use.capability })
      );
    }
    case 'skill':
      return skills.includes(use.skill);
    default:
      return use satisfies never;
  }
}

/** Whether a secret may be used for this. */
import { isAllowed, parseGrantSet, type SecretRecord } from '@warren/kernel';
import type { CapabilityUse, SecretUse } from './secrets.ts';

type Grants = ReturnType<typeof parseGrantSet>;

/** As many as a busy workspace uses. What is forgotten is parsed anew. */
const KNOWN_MAX = 1_000;

/** Bindings of one workspace, parsed once: that costs more than all else in a use. */
export class Bound {
  readonly #known = new Map<string, Grants>();

  has(record: SecretRecord, use: SecretUse | CapabilityUse): boolean {
    switch (use.kind) {
      case 'request': {
        const grants = this.#grantsOf(record);
        return (
          isAllowed(grants, { kind: 'host', host: use.host, port: use.port }) && isAllowed(grants, { kind: 'tool', tool: use.capability })
        );
      }
      case 'capability':
      case 'program':
        return isAllowed(this.#grantsOf(record), { kind: 'tool', tool: use.capability });
      case 'skill':
        return record.bindings.skills.includes(use.skill);
      default:
        return use satisfies never;
    }
  }

  /** By what they are, and by no name: a name may come to be another secret's. */
  #grantsOf({ bindings: { hosts, capabilities } }: SecretRecord): Grants {
    const key = JSON.stringify([hosts, capabilities]);
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const grants = parseGrantSet({ hosts, tools: capabilities });
    const oldest = this.#known.size >= KNOWN_MAX ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, grants);
    return grants;
  }
}

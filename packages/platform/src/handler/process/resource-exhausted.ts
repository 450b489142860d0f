/** The error for a command that ran into a limit: which one, and how much it is. */
import type { JsonObject } from '@warren/protocol';
import type { Exit, LimitName, ResolvedSpec } from '@warren/sandbox';
import { CapabilityError } from '../../capability/handler.ts';

/** Which is named when several were hit: a fork bomb also runs out of memory for its processes, and whoever is out of either may be late. */
const ORDER: readonly LimitName[] = ['pids', 'memory', 'cpu', 'file_size', 'open_files', 'disk', 'output'];

const LIMIT_OF: Readonly<Partial<Record<LimitName, keyof ResolvedSpec['limits']>>> = {
  memory: 'memoryBytes',
  pids: 'pids',
  file_size: 'fileBytes',
  open_files: 'openFiles',
  disk: 'diskBytes',
};

/** Undefined when no limit but its time was hit, or when it succeeded nevertheless. */
export function resourceExhausted(exit: Exit, limits: ResolvedSpec['limits'], details: JsonObject): CapabilityError | undefined {
  if (exit.kind === 'not_started' || (exit.kind === 'exited' && exit.code === 0)) return undefined;
  const by = exit.kind === 'stopped' && exit.by !== 'deadline' ? ORDER.find((name) => name === exit.by) : undefined;
  const resource = by ?? ORDER.find((name) => exit.limitsHit.includes(name));
  if (resource === undefined) return undefined;
  const key = LIMIT_OF[resource];
  const limit = key === undefined ? null : limits[key];
  const amount = limit === null ? '' : ` of ${limit}${key?.endsWith('Bytes') === true ? ' bytes' : ''}`;
  return new CapabilityError('ResourceExhausted', `Cannot finish the command: it reached the limit on ${resource}${amount}`, {
    context: { ...details, resource, limit, resources: [...exit.limitsHit] },
  });
}

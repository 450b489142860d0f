import { Fault } from '@warren/protocol';

/** Safe as a file name and in a message: policies of an agent stand in a file of its name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Names that mean something else in policies, messages or attribution. */
const RESERVED = new Set(['default', 'system', 'warren', 'operator']);

/** Throws `invalid_argument`. */
export function checkAgentName(name: string): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new Fault(
      'invalid_argument',
      `Cannot use ${JSON.stringify(String(name).slice(0, 80))} as an agent: a name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit`,
      { details: { field: 'agent' } },
    );
  }
  if (RESERVED.has(name))
    throw new Fault('invalid_argument', `Cannot use ${name} as an agent: the name is reserved`, { details: { field: 'agent' } });
}

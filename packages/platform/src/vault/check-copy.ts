/** What may come from another vault. */
import { Fault } from '@warren/protocol';
import { checkName, checkTerms, checkValue, NO_BINDINGS, VERSIONS_MAX } from './check-secret.ts';
import type { SecretCopy, SecretType } from './secrets.ts';

/** As it would be had somebody set it here: what comes from elsewhere is held to the same bounds. Faults: `invalid_argument`. */
export function checkCopy(copy: SecretCopy): SecretCopy {
  const { version, createdAt, updatedAt, revokedAt, versions } = copy;
  const name = checkName(copy.name);
  const terms = checkTerms(
    { type: copy.type as SecretType, purpose: copy.purpose, bindings: copy.bindings }, // It is checked there.
    { type: 'other', purpose: '', bindings: NO_BINDINGS },
  );
  const numbers = versions.map((each) => each.version);
  const isOrdered = numbers.every((number, index) => number > (numbers[index + 1] ?? 0));
  const isWhole = numbers.length > 0 && numbers.length <= VERSIONS_MAX && numbers[0] === version && isOrdered;
  const times = [createdAt, updatedAt, revokedAt ?? 0, ...versions.map((each) => each.createdAt), ...numbers];
  if (!isWhole || !times.every((time) => Number.isSafeInteger(time) && time >= 0))
    throw new Fault('invalid_argument', `Cannot keep secret ${name}: its versions are not as a vault has them`, {
      details: { field: 'versions' },
    });
  for (const { bytes } of versions) checkValue(bytes).fill(0); // It is a copy.
  return { name, ...terms, version, createdAt, updatedAt, revokedAt, versions };
}

export function wipeCopy({ versions }: SecretCopy): void {
  for (const { bytes } of versions) bytes.fill(0);
}

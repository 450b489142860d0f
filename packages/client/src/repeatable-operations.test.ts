import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { expect, it } from 'vitest';
import { isRepeatable } from './repeatable-operations.ts';

it('what may be called again is what the contract says may be', () => {
  const names = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets which.
  expect(names.filter(isRepeatable)).toEqual(names.filter((name) => OPERATIONS[name].effect !== 'once'));
});

import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { BESIDE_THE_GATE, INSTEAD } from './require-gate.ts';

const forProcesses = (Object.keys(OPERATIONS) as OperationName[]).filter((name) =>
  ['process', 'anyone'].includes(OPERATIONS[name].scope.kind),
);

describe('what a process may call at all', () => {
  it('is either beside the gate or has a capability to call instead', () => {
    const told = [...BESIDE_THE_GATE, ...Object.keys(INSTEAD)];
    expect(told.toSorted()).toEqual(forProcesses.toSorted());
  });

  it('only looks where it is beside the gate', () => {
    const changing = [...BESIDE_THE_GATE].filter((name) => OPERATIONS[name].effect !== 'read');
    expect(changing).toEqual(['call.make', 'call.cancel', 'tool.call']);
  });
});

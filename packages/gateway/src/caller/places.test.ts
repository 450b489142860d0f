import type { Principal } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { Places } from './places.ts';

const ACME = 'acme' as WorkspaceId; // Valid.
const OPERATOR: Principal = { kind: 'operator' };
const MEMBER: Principal = { kind: 'member', workspace: ACME, role: 'admin' };
const processOf = (pid: number): Principal => ({ kind: 'process', workspace: ACME, pid });

const open = () => new Places({ most: 6, forOperators: 2, perProcess: 1, perMember: 2 });
const isTaken = (places: Places, principal: Principal): boolean => {
  try {
    places.take(principal, 'streams');
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'busy' });
    return false;
  }
};

it('each has its share, and one that is given back is there again', () => {
  const places = open();
  const place = places.take(processOf(1), 'streams');
  expect([processOf(1), processOf(2), MEMBER, MEMBER, MEMBER].map((each) => isTaken(places, each))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  place[Symbol.dispose]();
  place[Symbol.dispose]();
  expect([processOf(1), processOf(1)].map((each) => isTaken(places, each))).toEqual([true, false]);
});

it('the last ones are for operators, who may have all', () => {
  const places = open();
  expect([1, 2, 3, 4, 5].map((pid) => isTaken(places, processOf(pid)))).toEqual([true, true, true, true, false]);
  expect([1, 2, 3].map(() => isTaken(places, OPERATOR))).toEqual([true, true, false]);
});

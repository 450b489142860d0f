/**
 * Named places where a test can make things go wrong: a crash, a full disk, a slow flush. In production nobody listens and reaching one
 * costs a call of an empty function.
 */
export type FaultPoint =
  | 'store.begin' /** Before a group's transaction. */
  | 'store.body' /** Before each body of a group. */
  | 'store.commit' /** All bodies ran; nothing is on disk for sure. */
  | 'store.committed' /** On disk; nobody has been told. */
  | 'store.purge' /** Before each step of a purge. */
  | 'store.erase' /** Before each step of wiping a workspace. */
  | 'body.chunk'; /** Before each piece of a large body is written. */

export interface FaultPoints {
  /** May throw what the operation shall fail with. */
  reach(point: FaultPoint): void;
}

export const NO_FAULTS: FaultPoints = { reach() {} };

/** Thrown by a fault point to play the death of the process: the store does nothing more, as if it were gone. */
export class PlayedCrash extends Error {
  override readonly name = 'PlayedCrash';
}

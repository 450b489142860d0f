/** What is wrong with a request as such, or with whoever made it: no answer of a call. */
import { Fault } from '@warren/protocol';

export function gaveUp(): Fault {
  return new Fault('aborted', 'Cannot make the call: the caller gave up');
}

export function endingWorkspace(workspace: string): Fault {
  return new Fault('not_found', `Cannot make the call: workspace "${workspace}" is being deleted`, { details: { workspace } });
}

export function callNotFound(callId: string): Fault {
  return new Fault('not_found', `Cannot find call ${callId.slice(0, 40)}: it does not exist, or its answer was not kept`);
}

/**
 * Applies or undoes a run and kills itself at the n-th pause point: `crash-child.ts <state> <run> apply|undo <n>`. Prints nothing; ends with 0
 * if it got through before. Started by crash tests with `node --conditions=warren-source`.
 */
import { applyRun } from '../apply.ts';
import { RunStore } from '../run-store.ts';
import { undoRun } from '../undo.ts';

const [stateDirectory = '', run = '', action, nth] = process.argv.slice(2);
const store = RunStore.open({ stateDirectory });
let left = Number(nth);

function onPause(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

if (action === 'apply') {
  await applyRun(store, run, { probe: () => Promise.reject(new Error('The layer is sealed')), onPause });
} else {
  await undoRun(store, run, { onPause });
}

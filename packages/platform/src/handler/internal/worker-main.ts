/** The program of a worker thread: answers one question after the other. It holds nothing between them but parsers that are expensive to load. */
import { parentPort } from 'node:worker_threads';
import { outlineSource } from '../code/outline/outline-source.ts';
import { countGroups } from './count-groups.ts';
import { findSpans } from './find-spans.ts';
import { replaceMatches } from './replace-matches.ts';
import { TaskRefusal } from './task-refusal.ts';
import { unifiedDiff } from './unified-diff.ts';
import type { WorkerAnswer, WorkerQuestion, WorkerTaskName, WorkerTasks } from './worker-task.ts';

type Answers = {
  readonly [Name in WorkerTaskName]: (
    input: WorkerTasks[Name]['input'],
  ) => WorkerTasks[Name]['output'] | Promise<WorkerTasks[Name]['output']>;
};

const ANSWERS: Answers = { outline: outlineSource, replace: replaceMatches, diff: unifiedDiff, groups: countGroups, spans: findSpans };

parentPort?.on('message', ({ task, input }: WorkerQuestion) => {
  const answer = ANSWERS[task] as (given: unknown) => unknown; // Asked by `Workers`, whose types hold name and input together.
  Promise.try(answer, input).then(
    (output) => say({ kind: 'done', output }),
    (error: unknown) => {
      if (error instanceof TaskRefusal) say({ kind: 'refused', type: error.type, message: error.message });
      else say({ kind: 'failed', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    },
  );
});

function say(answer: WorkerAnswer): void {
  parentPort?.postMessage(answer);
}

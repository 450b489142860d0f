import type { HandlersOf } from './handler.ts';
import { toEvent } from './record/event.ts';
import { toProcessView, toSummary } from './record/observation.ts';

export type ObserveParts = {
  readonly version: string;
  /** Everything there is to measure, in the text form of Prometheus. */
  readonly metrics: () => Promise<string>;
};

export function createObserveHandlers({ version, metrics }: ObserveParts): HandlersOf<'kernel.observe.'> {
  return {
    async 'kernel.observe.proc'({ pid }, { mine }) {
      return toProcessView(await mine.observe.process(pid));
    },

    async 'kernel.observe.summary'(_params, { mine }) {
      return toSummary(await mine.observe.summary(), version);
    },

    async 'kernel.observe.trace'({ event_id, depth }, { mine }) {
      const { events, depth: followed, truncated } = await mine.events.trace(event_id, depth);
      return { events: events.map(toEvent), depth: followed, truncated };
    },

    async 'kernel.observe.prometheus'() {
      return { text: await metrics() };
    },
  };
}

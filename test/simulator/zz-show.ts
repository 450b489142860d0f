import { Chronicle } from './chronicle.ts';
import { runSchedule } from './run-schedule.ts';

const seed = Number(process.argv[2]);
const seen: Chronicle[] = [];
const original = Chronicle.prototype.commit;
Chronicle.prototype.commit = function (events) {
  if (!seen.includes(this)) seen.push(this);
  original.call(this, events);
};
try {
  console.log(await runSchedule(seed));
} catch (error) {
  console.log(String(((error as Error).cause as Error | undefined)?.stack ?? error).slice(0, 3000));
}
for (const c of seen) {
  console.log('---');
  for (const e of c.events)
    console.log(
      e.id,
      e.at - 1_800_000_000_000,
      e.pid,
      e.kind,
      JSON.stringify(e.payload),
      e.causationId ?? '',
      e.correlationId ?? '',
      c.ends.has(e.id) ? '.' : '',
    );
}

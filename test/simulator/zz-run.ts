import { runSchedule } from './run-schedule.ts';

const [from = '1', count = '100', isAll] = process.argv.slice(2);
let [asked, deaths, events, failed] = [0, 0, 0, 0];

import { Chronicle } from './chronicle.ts';

const counts = new Map<string, number>();
const original = Chronicle.prototype.commit;
Chronicle.prototype.commit = function (events) {
  for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  original.call(this, events);
};
const kinds = new Map<string, number[]>();
const t = process.cpuUsage();
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  try {
    const r = await runSchedule(seed);
    asked += r.asked;
    deaths += r.deaths;
    events += r.events;
  } catch (error) {
    failed++;
    const message = String((error as Error).message)
      .split('\n')[0]!
      .replace(/^Schedule \d+ failed: /, '')
      .replace(/\d+/g, 'N')
      .slice(0, 200);
    kinds.set(message, [...(kinds.get(message) ?? []), seed]);
    if (isAll === undefined && failed === 1) console.log((error as Error).cause ?? error);
  }
}
const u = process.cpuUsage(t);
for (const [message, seeds] of kinds) console.log(seeds.length, message, seeds.slice(0, 8).join(' '));
console.log({ count, failed, asked, deaths, events, cpuMs: (u.user + u.system) / 1000 / Number(count) });

if (isAll === 'kinds')
  console.log(
    [...counts]
      .sort()
      .map(([k, n]) => `${n} ${k}`)
      .join('\n'),
  );

/** Makes attempts and collects their answers. Those of the program that do not need a sandbox of their own share one, and one process for each user. */
import type { Arena } from './arena.ts';
import type { Attempt, TestedProfile, User } from './attempt.ts';

export type Answers = ReadonlyMap<string, string>;

export async function runAttempts(arena: Arena, attempts: readonly Attempt[], profile: TestedProfile): Promise<Answers> {
  const answers = new Map<string, string>();
  await runShared(arena, attempts, profile, answers);
  for (const attempt of attempts) {
    if (!answers.has(attempt.id)) answers.set(attempt.id, await runAlone(arena, attempt, profile));
  }
  return answers;
}

async function runShared(arena: Arena, attempts: readonly Attempt[], profile: TestedProfile, answers: Map<string, string>): Promise<void> {
  const shared = attempts.filter(({ how }) => how.kind === 'program' && how.spec === undefined);
  if (shared.length === 0) return;
  await using sandbox = await arena.startShared(profile);
  for (const user of ['agent', 'root'] as const satisfies readonly User[]) {
    const ids = new Map(shared.flatMap(({ id, how }) => (how.kind === 'program' && how.user === user ? [[id, how.name] as const] : [])));
    if (ids.size === 0) continue;
    const said = await arena.attack(sandbox, [...new Set(ids.values())], { user });
    for (const [id, name] of ids) answers.set(id, said.get(name) ?? 'inconclusive');
  }
}

async function runAlone(arena: Arena, { how }: Attempt, profile: TestedProfile): Promise<string> {
  try {
    if (how.kind === 'host') return await how.make(arena, profile);
    await using sandbox = await arena.start({ profile, ...how.spec });
    return (await arena.attack(sandbox, [how.name], { user: how.user })).get(how.name) ?? 'inconclusive';
  } catch (error) {
    return `inconclusive ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Makes attempts and collects their answers. */
import type { Arena } from './arena.ts';
import type { Attempt } from './attempt.ts';
import type { TestedProfile, User } from './setting.ts';

/** By the id of the attempt. */
export type Answers = ReadonlyMap<string, string>;

export async function runAttempts(arena: Arena, attempts: readonly Attempt[], profile: TestedProfile): Promise<Answers> {
  const answers = new Map(await runShared(arena, attempts, profile));
  for (const attempt of attempts) {
    if (!isShared(attempt)) answers.set(attempt.id, await runAlone(arena, attempt, profile));
  }
  return answers;
}

/** Those of the program that do not need a sandbox of their own share one, and one process for each user. */
export function isShared({ how }: Attempt): boolean {
  return how.kind === 'program' && how.spec === undefined;
}

/** Makes those that share, and leaves the others out. */
export async function runShared(arena: Arena, attempts: readonly Attempt[], profile: TestedProfile): Promise<Answers> {
  const answers = new Map<string, string>();
  const shared = attempts.filter(isShared);
  if (shared.length === 0) return answers;
  await using sandbox = await arena.startShared(profile);
  for (const user of ['agent', 'root'] as const satisfies readonly User[]) {
    const names = new Map(shared.flatMap(({ id, how }) => (how.kind === 'program' && how.user === user ? [[id, how.name] as const] : [])));
    if (names.size === 0) continue;
    const said = await arena.attack(sandbox, [...new Set(names.values())], { user });
    for (const [id, name] of names) answers.set(id, said.get(name) ?? 'inconclusive');
  }
  return answers;
}

export async function runAlone(arena: Arena, { how }: Attempt, profile: TestedProfile): Promise<string> {
  try {
    if (how.kind === 'host') return await how.make(arena, profile);
    await using sandbox = await arena.start({ profile, ...how.spec });
    return (await arena.attack(sandbox, [how.name], { user: how.user })).get(how.name) ?? 'inconclusive';
  } catch (error) {
    return `inconclusive ${error instanceof Error ? error.message : String(error)}`;
  }
}

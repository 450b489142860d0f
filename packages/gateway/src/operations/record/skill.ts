import type { Skill } from '@warren/platform';
import type { SkillRecord, SkillSummaryRecord } from '@warren/protocol/contract';

/** `enabled`: the skills of the workspace. */
export function toSkillSummary({ id, state, description, program, hash, problems }: Skill, enabled: readonly string[]): SkillSummaryRecord {
  return { name: id, state, description, enabled: enabled.includes(id), runnable: program !== undefined, hash, problems };
}

export function toSkill(skill: Skill, enabled: readonly string[]): SkillRecord {
  const { manifest, instructions, program = null } = skill;
  const { license = null, compatibility = null, timeoutMs = null, memoryBytes = null, outputBytesMax = null } = manifest ?? {};
  return {
    ...toSkillSummary(skill, enabled),
    ...{ instructions, program, license, compatibility },
    allowed_tools: manifest?.allowedTools ?? [],
    secrets: Object.entries(manifest?.secrets ?? {}).map(([variable, secret]) => ({ variable, secret })),
    hosts: manifest?.hosts ?? [],
    mounts: (manifest?.mounts ?? []).map(({ path, isWritable }) => ({ path, writable: isWritable })),
    ...{ timeout_ms: timeoutMs, memory_bytes: memoryBytes, output_bytes_max: outputBytesMax },
  };
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { checkRecovery, checkReferences, type Known, type LineOf } from './check-references.ts';
import type { Definition, ErrorDefinition, Problem } from './definition.ts';
import { LIMITS } from './limits.ts';
import { type DefinitionsFile, readDefinitions } from './read-definitions.ts';

export type DefinitionSet = {
  /** By name. */
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly sharedErrors: ReadonlyMap<string, ErrorDefinition>;
  readonly problems: readonly Problem[];
};

/** Of texts at hand: where something of them stands is known too. */
export type LoadedDefinitions = DefinitionSet & { readonly lineOf: LineOf };

export type DefinitionText = { readonly file: string; readonly text: string };

const FILES_MAX = 200;

/** Reads the texts of all YAML files of a folder, by name. Faults: `not_found`, `too_large`, `invalid_argument` (what is no plain file). */
export async function readDefinitionTexts(folder: string, shownAs = 'definitions'): Promise<readonly DefinitionText[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Fault('not_found', `Cannot read definitions: there is no folder ${shownAs}`, { cause });
  });
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  if (files.length > FILES_MAX)
    throw new Fault('too_large', `Cannot read definitions: ${shownAs} has ${files.length} files, the limit is ${FILES_MAX}`);
  return Promise.all(
    files.map(async (name) => {
      const read = await readPlainFile(join(folder, name), { bytesMax: LIMITS.fileBytesMax, mayBeLink: false });
      if (read.kind === 'refused') throw new Fault(read.code, `Cannot read definitions: ${shownAs}/${name} ${read.reason}`);
      return { file: `${shownAs}/${name}`, text: read.bytes.toString('utf8') };
    }),
  );
}

/**
 * Makes one set of the files of one origin. `base`: what is there besides, that they may speak of and must not define again. What is wrong is told, all of it,
 * references included; the set holds what is right.
 */
export function loadDefinitions(texts: readonly DefinitionText[], base?: DefinitionSet, pack?: string): LoadedDefinitions {
  const problems: Problem[] = [];
  const sharedErrors = new Map(base?.sharedErrors);
  const own: ErrorDefinition[] = [];
  const isShared = ({ text }: DefinitionText): boolean => /^errors:/m.test(text) && !/^(?:- )?name:/m.test(text);
  const read: DefinitionsFile[] = [];
  for (const { file, text } of [...texts.filter(isShared), ...texts.filter((each) => !isShared(each))]) {
    const result = readDefinitions(file, text, sharedErrors, pack);
    problems.push(...result.problems);
    read.push(result);
    for (const error of result.sharedErrors) {
      if (pack !== undefined || sharedErrors.has(error.type)) {
        problems.push({
          severity: 'error',
          file,
          line: 1,
          field: 'errors',
          reason:
            pack === undefined
              ? `names ${error.type} a second time`
              : 'is for Warren itself; a pack describes its errors in its definitions',
        });
      } else {
        sharedErrors.set(error.type, error);
        own.push(error);
      }
    }
  }

  const definitions = new Map<string, Definition>();
  const lines = new Map<string, LineOf>();
  for (const { definitions: list, lineOf } of read) {
    for (const definition of list) {
      const before = definitions.get(definition.name) ?? base?.definitions.get(definition.name);
      const { file, line } = definition.source;
      if (before !== undefined) {
        const reason = `is ${definition.name}, which ${before.source.file}:${before.source.line} defines already`;
        problems.push({ severity: 'error', file, line, field: 'name', reason });
      } else if (pack !== undefined && !definition.name.startsWith(`${pack}.`)) {
        problems.push({
          severity: 'error',
          file,
          line,
          field: 'name',
          reason: `is ${definition.name}; in the pack ${pack} names begin with ${pack}.`,
        });
      } else {
        definitions.set(definition.name, definition);
        lines.set(definition.name, lineOf);
      }
    }
  }

  const lineOf: LineOf = (name, path) => lines.get(name)?.(name, path) ?? 1;
  const broken = new Set(read.flatMap((each) => each.broken));
  const known: Known = {
    find: (name) => definitions.get(name) ?? base?.definitions.get(name) ?? (broken.has(name) ? { inputs: undefined } : undefined),
    names: () => [...(base?.definitions.keys() ?? []), ...definitions.keys()],
    sharedErrors,
  };
  for (const definition of definitions.values()) problems.push(...checkReferences(definition, known, lineOf));
  for (const error of own) {
    checkRecovery(error, known, (step, key, reason) => {
      problems.push({
        severity: 'error',
        file: texts.find(isShared)?.file ?? '',
        line: 1,
        field: `${error.type}.recovery[${step}].${key}`,
        reason,
      });
    });
  }
  return { definitions, sharedErrors, problems: problems.slice(0, LIMITS.problemsMax), lineOf };
}

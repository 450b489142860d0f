/** Reads the Cranfield collection as it has been passed on since 1967: `cran.all.1400`, `cran.qry` and `cranqrel`. It is not part of this repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Judged = {
  readonly text: string;
  /** By document: 4 is a complete answer, 1 of the least interest. */
  readonly grades: ReadonlyMap<string, number>;
};

/** Throws when a file is missing, and when a question or a document is. */
export function readCranfield(folder: string): { readonly documents: ReadonlyMap<string, string>; readonly questions: readonly Judged[] } {
  const documents = new Map(readItems(join(folder, 'cran.all.1400')).map(({ id, fields }) => [id, textOf(fields)]));
  const grades = new Map<number, Map<string, number>>();
  for (const line of readFileSync(join(folder, 'cranqrel'), 'utf8').trim().split('\n')) {
    const [question = '', document = '', code = ''] = line.trim().split(/\s+/);
    const of = grades.get(Number(question)) ?? new Map<string, number>();
    const degree = Number(code);
    if (documents.has(document)) of.set(document, degree >= 1 && degree <= 4 ? 5 - degree : 1);
    grades.set(Number(question), of);
  }
  // The judgements number the questions as they come, not by what they call themselves.
  const questions = readItems(join(folder, 'cran.qry')).map(({ fields }, index) => ({
    text: textOf(fields),
    grades: grades.get(index + 1) ?? new Map<string, number>(),
  }));
  if (documents.size !== 1_400 || questions.length !== 225)
    throw new Error(`${folder} has ${documents.size} documents, ${questions.length} questions`);
  return { documents, questions: questions.filter(({ grades: of }) => of.size > 0) };
}

type Item = { readonly id: string; readonly fields: ReadonlyMap<string, string> };

function readItems(path: string): readonly Item[] {
  const parts = readFileSync(path, 'utf8')
    .replaceAll('\r', '')
    .split(/^\.I +/m)
    .slice(1);
  return parts.map((part) => {
    const [head = '', ...fields] = part.split(/^\.([A-Z])\n/m);
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) pairs.push([fields[index] ?? '', fields[index + 1] ?? '']);
    return { id: String(Number(head)), fields: new Map(pairs) };
  });
}

/** Abstracts begin with their own title. */
function textOf(fields: ReadonlyMap<string, string>): string {
  const text = (fields.get('W') ?? '').replaceAll(/\s+/g, ' ').trim();
  return text === '' ? (fields.get('T') ?? '').replaceAll(/\s+/g, ' ').trim() || 'empty' : text;
}

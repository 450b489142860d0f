/**
 * The types of the library as they ship: those of its declarations that can be reached from what it exports, as files of their own, so that a program that installs Warren needs nothing else of ours. An index
 * of a package is not a place: what it names is looked up where it is declared.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';

type Named = { readonly name: string; readonly as: string; readonly isType: boolean };
type Statement = { readonly text: string; readonly keyword: 'import' | 'export'; readonly names: readonly Named[]; readonly from: string };

/** `packages`: the folder with ours; each has its declarations in `dist`, but the entry, which is `entry`. By path, as they import each other. Throws for what is of nobody's but Node's. */
export function shippedTypes(packages: string, entry: string): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  const waiting = [entry];
  const nameOf = (file: string): string => (file === entry ? 'index.d.ts' : relative(packages, file).replace('/dist/', '/'));
  const reach = (file: string): void => {
    if (!made.has(nameOf(file)) && !waiting.includes(file)) waiting.push(file);
  };
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    let text = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
    for (const statement of statementsIn(text)) {
      const lines: string[] = [];
      for (const named of statement.names) {
        const { place, name } = declared(packages, file, statement.from, named.name);
        reach(place);
        const path = posix.relative(posix.dirname(nameOf(file)), nameOf(place)).replace(/\.d\.ts$/, '.js');
        const as = name === named.as ? name : `${name} as ${named.as}`;
        lines.push(`${statement.keyword} ${named.isType ? 'type ' : ''}{ ${as} } from '${path.startsWith('.') ? path : `./${path}`}';`);
      }
      text = text.replace(statement.text, () => lines.join('\n'));
    }
    made.set(nameOf(file), text);
  }
  return made;
}

function statementsIn(text: string): readonly Statement[] {
  return [...text.matchAll(/^(import|export) (type )?\{([^}]*)\} from '([^']+)';$/gm)]
    .filter(([, , , , from = '']) => !from.startsWith('node:'))
    .map(([whole, keyword, type, list = '', from = '']) => ({
      text: whole,
      keyword: keyword === 'import' ? 'import' : 'export',
      from,
      names: list.split(',').flatMap((each) => {
        const [, own, name = '', as = name] = /^\s*(type )?(\w+)(?: as (\w+))?\s*$/.exec(each) ?? [];
        return name === '' ? [] : [{ name, as, isType: type !== undefined || own !== undefined }];
      }),
    }));
}

/** Where a name is declared, however many indexes pass it on. */
function declared(packages: string, file: string, from: string, name: string): { readonly place: string; readonly name: string } {
  const place = from.startsWith('.') ? join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')) : indexOf(packages, from);
  if (!place.endsWith('/dist/index.d.ts')) return { place, name };
  for (const { names, from: next } of statementsIn(readFileSync(place, 'utf8'))) {
    const found = names.find(({ as }) => as === name);
    if (found !== undefined) return declared(packages, place, next, found.name);
  }
  throw new Error(`Cannot ship the types: ${place} has no ${name}, which ${file} imports`);
}

function indexOf(packages: string, specifier: string): string {
  const [, ours] = /^@warren\/(\w+)$/.exec(specifier) ?? [];
  if (ours !== undefined) return join(packages, ours, 'dist/index.d.ts');
  throw new Error(`Cannot ship the types: they reach ${specifier}, which a program that uses them would have to install`);
}

/** Between two marks of a page stands what is written by a program; around them what people write. */
export function withSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name}: written by scripts/write-api-docs.ts -->\n`, `<!-- end ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no section ${name}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

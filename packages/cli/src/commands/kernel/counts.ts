/** `READY 3, DEAD 1`: what there is any of, in the order given. */
export function formatCounts(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, number]) => number > 0);
  return some.map(([name, number]) => `${name} ${number}`).join(', ');
}

/** `4: READY 3, DEAD 1`. */
export function formatTotal(total: number, counts: Readonly<Record<string, number>>): string {
  const parts = formatCounts(counts);
  return parts === '' ? `${total}` : `${total}: ${parts}`;
}

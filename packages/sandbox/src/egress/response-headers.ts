/** Names in lower case; values of repeated ones are joined, cookies by lines because they hold commas. Takes names and values in turn. */
export function headersFrom(raw: readonly string[]): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === 'set-cookie' ? '\n' : ', '}${value}`);
  }
  return Object.fromEntries(headers); // Own properties only, whatever the names.
}

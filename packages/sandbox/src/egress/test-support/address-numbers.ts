/** Addresses as numbers, apart from the code under test: another reading of the same texts. */

export function numberOf(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [head = '', tail = ''] = address.split('::');
  const missing = address.includes('::') ? 8 - groups(head).length - groups(tail).length : 0;
  return [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

export function ipv4Of(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join('.');
}

/** With leading zeroes, in capitals, shortest at its first zeroes, and with an IPv4 tail. */
export function ipv6Spellings(number: bigint): readonly string[] {
  const groups = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const long = groups.map((group) => group.padStart(4, '0')).join(':');
  const zeroes = groups.findIndex((group, index) => group === '0' && groups[index + 1] === '0');
  const short = zeroes === -1 ? groups.join(':') : `${groups.slice(0, zeroes).join(':')}::${groups.slice(zeroes + 2).join(':')}`;
  return [long, long.toUpperCase(), groups.join(':'), short, `${groups.slice(0, 6).join(':')}:${ipv4Of(number & 0xffff_ffffn)}`];
}

/** The address at this share of a network, from its first to its last. */
export function addressIn(network: string, share: number): string {
  const [base = '', bits = '0'] = network.split('/');
  const width = base.includes(':') ? 128 : 32;
  const size = 1n << BigInt(width - Number(bits));
  const offset = share >= 1 ? size - 1n : (size * BigInt(Math.floor(share * 2 ** 48))) >> 48n;
  const number = numberOf(base) + (offset >= size ? size - 1n : offset);
  return width === 32 ? ipv4Of(number) : (ipv6Spellings(number)[2] ?? '');
}

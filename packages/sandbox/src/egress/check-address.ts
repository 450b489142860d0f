/** Whether an address may be connected to. The addresses of every answer and the peer of every connection come through here. */
import { isIP } from 'node:net';
import { Fault } from '@warren/protocol';
import ipaddr from 'ipaddr.js';
import { GLOBAL_UNICAST_IPV6, METADATA_ADDRESSES, SPECIAL_IPV4, SPECIAL_IPV6 } from './special-addresses.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = { readonly base: Address; readonly bits: number };

export type AddressVerdict = { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly why: string };

type KnownNetworks = {
  readonly special: readonly (Network & { readonly why: string })[];
  readonly metadata: readonly Network[];
  readonly globalUnicast: Network;
};

const ALLOWED: AddressVerdict = { kind: 'allowed' };
const NETWORKS_MAX = 256;

/** Networks an operator opened, ready to be asked. */
export type PrivateNetworks = readonly Network[];

/** Throws the fault `invalid_argument` for what is no address and no network. */
export function readPrivateNetworks(texts: readonly string[] = []): PrivateNetworks {
  if (texts.length > NETWORKS_MAX)
    throw new Fault('invalid_argument', `Cannot allow ${texts.length} private networks: the limit is ${NETWORKS_MAX}`);
  return texts.map(readNetwork);
}

/** `own` are the addresses of this machine: through a public one of them its services are reached past the firewall in front of it. */
export function checkAddress(text: string, open: PrivateNetworks, own: ReadonlySet<string>): AddressVerdict {
  const address = readAddress(text);
  if (address === undefined) return { kind: 'refused', why: 'not an address' };
  const opened = open.filter((network) => contains(network, address));
  const special = whySpecial(address);
  const ownEntryFor = knownNetworks().metadata.some((network) => contains(network, address))
    ? 'a metadata service of clouds'
    : own.has(canonical(address))
      ? 'an address of this machine'
      : undefined;
  if (ownEntryFor !== undefined && !isLoopback(address)) {
    return opened.some(({ bits }) => bits === address.toByteArray().length * 8) ? ALLOWED : { kind: 'refused', why: ownEntryFor };
  }
  return special === undefined || opened.length > 0 ? ALLOWED : { kind: 'refused', why: special };
}

/** The one spelling of an address that addresses are compared in; undefined for anything else, zone ids and short forms included. */
export function canonicalAddress(text: string): string | undefined {
  const address = readAddress(text);
  return address === undefined ? undefined : canonical(address);
}

function whySpecial(address: Address): string | undefined {
  const listed = knownNetworks()
    .special.filter((network) => contains(network, address))
    .at(-1);
  if (listed !== undefined) return listed.why;
  if (address.kind() === 'ipv6') {
    if (!contains(knownNetworks().globalUnicast, address)) return 'not global unicast';
    if (isIsatap(address)) return 'ISATAP';
  }
  // A second opinion by another table: what either of them knows is refused.
  return address.range() === 'unicast' ? undefined : 'special purpose';
}

/** An interface identifier of `0:5efe` or `200:5efe` and an IPv4 address, below any prefix: the packet is tunnelled to that address. */
function isIsatap(address: Address): boolean {
  const [first = 0, second, third, fourth] = address.toByteArray().slice(8, 12);
  return (first & 0xfc) === 0 && second === 0 && third === 0x5e && fourth === 0xfe; // Two bits of the first are flags.
}

function isLoopback(address: Address): boolean {
  return address.range() === 'loopback';
}

function readAddress(text: string): Address | undefined {
  // isIP takes four decimals or an IPv6 address only; the parser alone would take octal, hexadecimal and short forms too.
  return isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.parse(text);
}

function canonical(address: Address): string {
  return address.toString();
}

function readNetwork(text: string): Network {
  const [base = '', bits, ...rest] = typeof text === 'string' ? text.split('/') : [];
  const address = readAddress(base);
  if (address === undefined || rest.length > 0) throw malformed(text);
  const bitsMax = address.toByteArray().length * 8;
  if (bits === undefined) return { base: address, bits: bitsMax };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > bitsMax) throw malformed(text);
  return { base: address, bits: Number(bits) };
}

function malformed(text: string): Fault {
  return new Fault(
    'invalid_argument',
    `Cannot allow the private network ${JSON.stringify(text)?.slice(0, 80)}: it is no address and no network`,
  );
}

let known: KnownNetworks | undefined;

/** Read from their texts when a first address is looked at, for a start has no time. */
function knownNetworks(): KnownNetworks {
  known ??= {
    special: [...SPECIAL_IPV4, ...SPECIAL_IPV6].map(([network, why]) => ({ ...networkOf(network), why })),
    metadata: METADATA_ADDRESSES.map(([network]) => networkOf(network)),
    globalUnicast: networkOf(GLOBAL_UNICAST_IPV6),
  };
  return known;
}

function networkOf(text: string): Network {
  const [base, bits] = ipaddr.parseCIDR(text);
  return { base, bits };
}

function contains({ base, bits }: Network, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base as ipaddr.IPv4 & ipaddr.IPv6, bits); // Of the same kind: just compared.
}

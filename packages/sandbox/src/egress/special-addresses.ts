/**
 * Every network of the IANA special-purpose registries for IPv4 and IPv6, whether or not the registry calls it globally reachable, and what else never is a
 * host on the public internet: multicast, the forms that carry an IPv4 address inside an IPv6 one, retired networks. What is not listed here is public.
 */
export type SpecialNetwork = readonly [network: string, why: string];

export const SPECIAL_IPV4: readonly SpecialNetwork[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared between carriers'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112 anycast'],
  ['192.52.193.0/24', 'multicast tunnelling'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112 anycast'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['255.255.255.255/32', 'broadcast'],
];

export const SPECIAL_IPV6: readonly SpecialNetwork[] = [
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'IPv4-compatible'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['::ffff:0:0:0/96', 'IPv4-translated'],
  ['64:ff9b::/96', 'NAT64'],
  ['64:ff9b:1::/48', 'local NAT64'],
  ['100::/64', 'discarded'],
  ['100:0:0:1::/64', 'dummy prefix'],
  ['2001::/23', 'protocol assignments'],
  ['2001::/32', 'Teredo'],
  ['2001:1::1/128', 'port control anycast'],
  ['2001:1::2/128', 'TURN anycast'],
  ['2001:1::3/128', 'service registration anycast'],
  ['2001:2::/48', 'benchmarking'],
  ['2001:3::/32', 'multicast tunnelling'],
  ['2001:4:112::/48', 'AS112 anycast'],
  ['2001:10::/28', 'ORCHID'],
  ['2001:20::/28', 'ORCHIDv2'],
  ['2001:30::/28', 'drone identifiers'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'AS112 anycast'],
  ['3ffe::/16', 'retired'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
];

/** Of IPv6 only this part is given to hosts at all. */
export const GLOBAL_UNICAST_IPV6 = '2000::/3';

/** Where clouds hand out credentials to whoever asks from the machine. One of them looks public. */
export const METADATA_ADDRESSES: readonly SpecialNetwork[] = [
  ['169.254.169.254/32', 'AWS, Azure, Google and most others'],
  ['169.254.169.253/32', 'AWS resolver'],
  ['169.254.170.2/32', 'AWS tasks'],
  ['169.254.170.23/32', 'AWS pods'],
  ['169.254.42.42/32', 'Scaleway'],
  ['100.100.100.200/32', 'Alibaba'],
  ['192.0.0.192/32', 'Oracle'],
  ['168.63.129.16/32', 'Azure host agent'],
  ['fd00:ec2::254/128', 'AWS'],
  ['fd00:ec2::253/128', 'AWS resolver'],
  ['fd00:ec2::23/128', 'AWS pods'],
  ['fd20:ce::254/128', 'Google'],
  ['fd00:42::42/128', 'Scaleway'],
];

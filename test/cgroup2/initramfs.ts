/** Writes the archive a Linux kernel unpacks into its first root filesystem: cpio, "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */

export type Member =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'character device'; readonly path: string; readonly mode: number; readonly major: number; readonly minor: number };

const TYPE = { file: 0o100_000, directory: 0o040_000, link: 0o120_000, 'character device': 0o020_000 } as const;

/** Parents come before what is in them, as given. Everything belongs to root; the same members give the same bytes. */
export function packInitramfs(members: readonly Member[]): Buffer {
  const chunks = members.flatMap((member, index) => pack(member, index + 1));
  return Buffer.concat([...chunks, ...record('TRAILER!!!', { inode: 0, mode: 0 }, Buffer.alloc(0))]);
}

function pack(member: Member, inode: number): readonly Uint8Array[] {
  const mode = TYPE[member.kind] | (member.kind === 'link' ? 0o777 : member.mode);
  const path = member.path.replace(/^\//, '');
  switch (member.kind) {
    case 'file':
      return record(path, { inode, mode }, member.content);
    case 'link':
      return record(path, { inode, mode }, Buffer.from(member.target));
    case 'directory':
      return record(path, { inode, mode }, Buffer.alloc(0));
    case 'character device':
      return record(path, { inode, mode, major: member.major, minor: member.minor }, Buffer.alloc(0));
  }
}

type Header = { readonly inode: number; readonly mode: number; readonly major?: number; readonly minor?: number };

function record(path: string, { inode, mode, major = 0, minor = 0 }: Header, content: Uint8Array): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device of the file, device it is, length of the name, checksum.
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}

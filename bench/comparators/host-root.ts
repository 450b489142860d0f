import { lstatSync, readlinkSync } from 'node:fs';

/** What a root needs beside `/usr` so that its programs run: the links (or, on older systems, directories) that lead into it. */
export function hostRoot(): readonly { readonly name: string; readonly link: string | undefined }[] {
  return ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap((name) => {
    const status = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (status === undefined) return [];
    return [{ name, link: status.isSymbolicLink() ? readlinkSync(`/${name}`) : undefined }];
  });
}

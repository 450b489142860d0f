/** Looks at the state directory as another process does, and prints the names of its processes. */
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';

await using kernel = await openKernel({ directory: process.argv[2] ?? '', isReadOnly: true });
const { processes } = await kernel.workspace(DEFAULT_WORKSPACE).processes.list();
console.info(JSON.stringify(processes.map(({ name }) => name)));

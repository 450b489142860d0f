/** What the commands are built on: the library, opened with the state directory of the caller. Tests hand in their own. */
import { diagnose, openSandboxes } from '@warren/sandbox';

export { diagnose };

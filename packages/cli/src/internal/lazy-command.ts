/** A command whose module is loaded when it is used: who asks for the version loads none of them. */
import type { Host } from './host.ts';

/** What a person gave; the host is added. */
type Given<Command> = Command extends (...parameters: [...infer Words, Host]) => Promise<number> ? Words : never;
/** Of one module: makes what runs the command of this name. */
export type LazyCommand = <Module extends object, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
) => (...given: Given<Module[Name]>) => Promise<void>;

/** `end` gets the exit code. */
export function lazyCommands(host: Host, end: (code: number) => void): LazyCommand {
  return (load, name) =>
    async (...given) => {
      const command = (await load())[name] as (...parameters: unknown[]) => Promise<number>; // As its type says, which `given` was made of.
      end(await command(...given, host));
    };
}

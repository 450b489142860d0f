Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
// src/version.ts
/** The version of the published package. A test holds it equal to package.json: reading that file would cost each start more than this. */
const VERSION = "0.1.0";

// src/main.ts
/** The command line tool `warren`: this file is what the shipped binary runs. It answers `--version` itself, for that is how fast we start. */
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) process.stdout.write(`${VERSION}\n`);
else main();
async function main() {
	const [{ runCli }, { ProcessHost }] = await Promise.all([Promise.resolve().then(() => require("./chunks/cli-DFXRJc1G.cjs")).then((n) => n.cli_exports), Promise.resolve().then(() => require("./chunks/process-host-DCcWiOU5.cjs"))]);
	process.exit(await runCli(words, new ProcessHost()));
}

exports.VERSION = VERSION;
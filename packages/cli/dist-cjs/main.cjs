Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
// src/version.ts
/** The version of the published package. A test holds it equal to package.json: reading that file would cost each start more than this. */
const VERSION = "0.1.0";

// src/main.ts
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) process.stdout.write(`${VERSION}\n`);
else main();
async function main() {
	const sandboxes = words[0] === "run" && !words.includes("--help") && !words.includes("-h") ? await beginRun() : void 0;
	const [{ runCli }, { ProcessHost }] = await Promise.all([Promise.resolve().then(() => require("./chunks/cli-CFb5OOgt.cjs")).then((n) => n.cli_exports), Promise.resolve().then(() => require("./chunks/process-host-Dk_Z5TOQ.cjs"))]);
	process.exit(await runCli(words, new ProcessHost(), sandboxes));
}
/** Starts the launcher first of all: it gets ready while we read the rest of our own code. It starts no sandbox unasked, and ends with us. */
async function beginRun() {
	const { openRunSandboxes } = await Promise.resolve().then(() => require("./chunks/sandboxes-D2QUSQSs.cjs"));
	const opening = openRunSandboxes();
	opening.catch(() => {});
	return () => opening;
}

exports.VERSION = VERSION;
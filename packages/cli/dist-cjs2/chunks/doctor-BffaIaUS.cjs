const require_color = require("./color-CDQrxYec.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");

// src/commands/doctor.ts
/** `warren doctor`: every wall of this machine, and what to do about those that are missing. */
const MARKS = {
	enforced: ["✓", "green"],
	degraded: ["!", "yellow"],
	missing: ["✗", "red"]
};
/** Returns 1 when a wall is missing. A degraded one stands, with less than it could. */
async function doctor(flags, host, diagnose) {
	const walls = await diagnose();
	const missing = walls.filter(({ state }) => state === "missing");
	const code = missing.length === 0 ? 0 : 1;
	if (flags.json === true) {
		await host.stdout.write(`${require_safe_text.safeJson({
			ok: missing.length === 0,
			walls
		}, 2)}\n`);
		return code;
	}
	const paint = require_color.painter(host, host.stdout);
	const wide = Math.max(...walls.map(({ wall }) => wall.length), 0);
	for (const { wall, state, detail, reason, fix } of walls) {
		const [mark, color] = MARKS[state];
		await host.stdout.write(`${paint(color, `${mark} ${require_safe_text.safeText(wall).padEnd(wide)}  ${state.padEnd(8)}`)}  ${require_safe_text.safeText(detail)}\n`);
		if (reason !== void 0) await host.stdout.write(`    why: ${require_safe_text.safeText(reason)}\n`);
		if (fix !== void 0) await host.stdout.write(`    fix: ${require_safe_text.safeText(fix)}\n`);
	}
	const verdict = missing.length === 0 ? "Every needed wall stands." : `${missing.length} of ${walls.length} walls cannot be built: ${missing.map(({ wall }) => require_safe_text.safeText(wall)).join(", ")}.`;
	await host.stdout.write(`\n${verdict}\n`);
	return code;
}

exports.doctor = doctor;
// ../sandbox/src/backends/namespace/profiles.ts
const MIB = 1048576;
const GIB = 1024 * MIB;
const PROFILES = {
	permissive: {
		limits: {
			memoryBytes: null,
			cpus: null,
			pids: 4096,
			fileBytes: null,
			openFiles: 65536,
			diskBytes: null,
			scratchBytes: GIB,
			wallMs: null
		},
		seccomp: "default",
		isScratchExecutable: true,
		passesEnvironment: true,
		showsHome: true,
		mountsWorkingDirectory: true,
		isProcMinimal: false
	},
	moderate: {
		limits: {
			memoryBytes: 512 * MIB,
			cpus: 1,
			pids: 512,
			fileBytes: 4 * GIB,
			openFiles: 4096,
			diskBytes: 10 * GIB,
			scratchBytes: 256 * MIB,
			wallMs: null
		},
		seccomp: "default",
		isScratchExecutable: true,
		passesEnvironment: false,
		showsHome: false,
		mountsWorkingDirectory: false,
		isProcMinimal: false
	},
	restrictive: {
		limits: {
			memoryBytes: 256 * MIB,
			cpus: .5,
			pids: 128,
			fileBytes: GIB,
			openFiles: 1024,
			diskBytes: GIB,
			scratchBytes: 64 * MIB,
			wallMs: null
		},
		seccomp: "restrictive",
		isScratchExecutable: false,
		passesEnvironment: false,
		showsHome: false,
		mountsWorkingDirectory: false,
		isProcMinimal: true
	}
};
/** What a home directory is not shown with. A list can only hold what is known: do not show a home that holds other secrets. */
const CREDENTIAL_PATHS = [
	".ssh",
	".gnupg",
	".aws",
	".azure",
	".config/gcloud",
	".config/gh",
	".config/hub",
	".config/op",
	".config/rclone",
	".config/sops",
	".docker",
	".kube",
	".netrc",
	".npmrc",
	".yarnrc.yml",
	".pypirc",
	".git-credentials",
	".config/git/credentials",
	".password-store",
	".local/share/keyrings",
	".vault-token",
	".terraform.d",
	".cargo/credentials",
	".cargo/credentials.toml",
	".gem/credentials",
	".m2/settings.xml",
	".gradle/gradle.properties",
	".pgpass",
	".my.cnf",
	".bash_history",
	".zsh_history",
	".python_history",
	".node_repl_history",
	".psql_history",
	".mysql_history",
	".lesshst",
	".viminfo",
	".mozilla",
	".thunderbird",
	".config/google-chrome",
	".config/chromium",
	".config/BraveSoftware",
	".config/Slack",
	".config/discord",
	".claude",
	".claude.json",
	".codex",
	".gemini",
	".config/opencode",
	".config/github-copilot",
	".local/state/warren",
	".local/share/warren"
];

Object.defineProperty(exports, "CREDENTIAL_PATHS", {
  enumerable: true,
  get: function () {
    return CREDENTIAL_PATHS;
  }
});
Object.defineProperty(exports, "PROFILES", {
  enumerable: true,
  get: function () {
    return PROFILES;
  }
});
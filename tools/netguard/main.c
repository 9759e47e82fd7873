// SPDX-License-Identifier: GPL-2.0
/* netguard: finds the command that was asked for. */

#include "netguard.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "status", status_command, "what is wrong, who does it, what fixes it" },
	{ "explain", explain_command, "what a counter, reason or verdict means" },
	{ "set", set_command, "change a guard's parameter" },
	{ "watch", watch_command, "what the guards count, live" },
	{ "audit", audit_command, "what can be found without the modules" },
	{ "metrics", metrics_command, "counters and findings for Prometheus" },
	{ "capture", capture_command, "capture packets, each one once" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	size_t i;

	fputs("usage: netguard COMMAND [ARGUMENT...]\n\n", to);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\nnetguard help COMMAND says more; netguard --version\n", to);
}

/* Wireshark starts what it finds in its extcap folder, always with these. */
static bool is_extcap(int argc, char **argv)
{
	return argc > 1 && (!strncmp(argv[1], "--extcap-", 9) ||
			    !strcmp(argv[1], "--capture"));
}

int main(int argc, char **argv)
{
	size_t i;

	if (is_extcap(argc, argv))
		return extcap_command(argc, argv);

	if (argc < 2) {
		usage(stderr);
		return NG_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("netguard " NG_VERSION);
		return NG_OK;
	}
	if (is_help(argv[1]) || !strcmp(argv[1], "help")) {
		if (argc < 3) {
			usage(stdout);
			return NG_OK;
		}
		/* "help status" is "status --help". */
		argv[1] = argv[2];
		argv[2] = "--help";
	}

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);

	fprintf(stderr, "netguard: no command '%s'\n", argv[1]);
	usage(stderr);
	return NG_USAGE;
}

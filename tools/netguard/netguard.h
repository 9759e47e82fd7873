/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the tool know of each other. */
#ifndef NETGUARD_H
#define NETGUARD_H

#include <stdbool.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

/* Exit statuses. */
enum { NG_OK, NG_FAILED, NG_USAGE };

int capture_command(int argc, char **argv);
int extcap_command(int argc, char **argv);

#endif

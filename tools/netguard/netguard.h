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

/* Exit statuses of capture. */
enum { NG_OK, NG_FAILED, NG_USAGE };
/* Of status, audit and the others: nothing found, something found, an error. */
enum { NG_NOTHING, NG_FOUND, NG_ERROR };

int audit_command(int argc, char **argv);
int capture_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int extcap_command(int argc, char **argv);
int metrics_command(int argc, char **argv);
int set_command(int argc, char **argv);
int status_command(int argc, char **argv);
int watch_command(int argc, char **argv);

#endif

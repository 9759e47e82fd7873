/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_CAPTURE_H
#define NETGUARD_CAPTURE_H

#include "filter.h"

struct capture_options {
	const char *device;
	/* File to write, "-" for standard output, NULL to count only. */
	const char *file;
	unsigned long count;
	int snaplen;
	/* In KiB; 0 for the default. */
	int buffer;
	enum duplicates duplicates;
	const char *expression;
};

/* Until a signal, or the wanted number of packets. Returns an exit status. */
int capture_run(const struct capture_options *options);
/* Is this an expression? If not, says why. Returns an exit status. */
int capture_check_expression(const char *expression);

#endif

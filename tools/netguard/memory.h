/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_MEMORY_H
#define NETGUARD_MEMORY_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "netguard.h"

/* A command of some kilobytes that gets no memory can do nothing but say so. */
static inline void *need(void *memory)
{
	if (!memory)
		errx(NG_ERROR, "out of memory");
	return memory;
}

/* printf() to a new string. */
__attribute__((format(printf, 1, 2))) char *format(const char *format, ...);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* A process that may still open a few files once we gave up root. */
#ifndef NETGUARD_OPENER_H
#define NETGUARD_OPENER_H

#include <stdbool.h>

/*
 * Starts it, for these files, NULL at the end of the list. It ends with us.
 * To be called before anything is open that it must not keep open.
 */
bool opener_start(const char *const *paths);
/* One of the files, for reading; -1 if it is not there. */
int opener_open(unsigned int index);

#endif

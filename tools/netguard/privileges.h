/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PRIVILEGES_H
#define NETGUARD_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A new file of whoever called sudo, made with their rights and not with
 * root's: a rule that lets them run this command lets them overwrite nothing
 * of root's with it. Without sudo it is fopen(). NULL and errno on failure.
 */
FILE *privileges_create(const char *name);
/* Gives up for good root's user ID, groups and all capabilities but these. */
bool privileges_keep(uint32_t capabilities);

#endif

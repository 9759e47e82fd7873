/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PRIVILEGES_H
#define NETGUARD_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Who it was that called sudo, else nobody. */
void privileges_target(uid_t *uid, gid_t *gid);
/* Gives up for good root's user ID, groups and all capabilities but these. */
bool privileges_keep(uint32_t capabilities);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_PADSTRIP_PATTERN_H
#define NETGUARD_PADSTRIP_PATTERN_H

#include <linux/types.h>

/**
 * padstrip_patterns_valid() - is this a list of device name patterns?
 * @patterns: names that a device can have, each perhaps with a * at its end,
 *	with commas between; or nothing
 *
 * Return: true if it is.
 */
bool padstrip_patterns_valid(const char *patterns);

/**
 * padstrip_patterns_match() - is this device meant by the list?
 * @patterns: a valid list
 * @name: the device's name
 *
 * Return: true if one of the patterns matches; an empty list has none.
 */
bool padstrip_patterns_match(const char *patterns, const char *name);

#endif

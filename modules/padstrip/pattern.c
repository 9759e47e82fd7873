// SPDX-License-Identifier: GPL-2.0
/* Lists of device names as the parameter devices takes them. */

#include "pattern.h"

#include <linux/netdevice.h>
#include <linux/string.h>

#include <netguard/compat.h>

/* A lone * is a suffix too. */
static bool padstrip_pattern_valid(const char *pattern, size_t len)
{
	bool suffix = len && pattern[len - 1] == '*';
	char name[IFNAMSIZ];

	len -= suffix;
	if (len >= sizeof(name) || memchr(pattern, '*', len))
		return false;
	if (!len)
		return suffix;

	memcpy(name, pattern, len);
	name[len] = '\0';
	return dev_valid_name(name);
}

bool padstrip_patterns_valid(const char *patterns)
{
	size_t len;

	if (!*patterns)
		return true;

	for (;; patterns += len + 1) {
		len = strcspn(patterns, ",");
		if (!padstrip_pattern_valid(patterns, len))
			return false;
		if (!patterns[len])
			return true;
	}
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_patterns_valid);

static bool padstrip_pattern_match(const char *pattern, size_t len,
				   const char *name)
{
	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, name, len - 1);

	return strlen(name) == len && !memcmp(pattern, name, len);
}

bool padstrip_patterns_match(const char *patterns, const char *name)
{
	size_t len;

	if (!*patterns)
		return false;

	for (;; patterns += len + 1) {
		len = strcspn(patterns, ",");
		if (padstrip_pattern_match(patterns, len, name))
			return true;
		if (!patterns[len])
			return false;
	}
}
EXPORT_SYMBOL_IF_KUNIT(padstrip_patterns_match);

// SPDX-License-Identifier: GPL-2.0
/* Checked setters for module parameters. */

#include "core.h"

/* A parameter is its module's, not the core's. */
#undef pr_fmt
#define pr_fmt(fmt) fmt

#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>

/* More of a refused value would push what is allowed out of the log line. */
#define NG_PARAM_SHOWN 128

int ng_param_refuse(const struct kernel_param *kp, const char *value,
		    const char *allowed)
{
	int shown = min_t(size_t, strcspn(value, "\n"), NG_PARAM_SHOWN);

	pr_err("%s: %s=%*pE refused, allowed: %s\n", kp->mod->name,
	       kp->name, shown, value, allowed);
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(ng_param_refuse);

static int ng_choice_set(const char *value, const struct kernel_param *kp)
{
	struct ng_choice *choice = kp->arg;
	char allowed[64] = "";
	int i;

	/* -1: the words end with NULL. */
	i = __sysfs_match_string(choice->words, -1, value);
	if (i >= 0) {
		if (i != choice->value) {
			WRITE_ONCE(choice->value, i);
			if (choice->changed)
				choice->changed();
		}
		return 0;
	}

	for (i = 0; choice->words[i]; i++) {
		strlcat(allowed, i ? ", " : "", sizeof(allowed));
		strlcat(allowed, choice->words[i], sizeof(allowed));
	}
	return ng_param_refuse(kp, value, allowed);
}

static int ng_choice_get(char *buffer, const struct kernel_param *kp)
{
	const struct ng_choice *choice = kp->arg;

	return sysfs_emit(buffer, "%s\n",
			  choice->words[READ_ONCE(choice->value)]);
}

const struct kernel_param_ops ng_choice_ops = {
	.set = ng_choice_set,
	.get = ng_choice_get,
};
EXPORT_SYMBOL_GPL(ng_choice_ops);

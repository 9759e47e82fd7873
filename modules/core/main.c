// SPDX-License-Identifier: GPL-2.0
/* netguard.ko: sets up the parts of the core and takes them down again. */

#include "core.h"

#include <linux/module.h>

static int __init ng_init(void)
{
	int err;

	err = ng_hook_setup();
	if (err)
		return err;

	err = ng_netns_setup();
	if (err)
		goto err_hook;

	ng_debugfs_setup();
	return 0;

err_hook:
	ng_hook_teardown();
	return err;
}

static void __exit ng_exit(void)
{
	ng_debugfs_teardown();
	ng_netns_teardown();
	ng_hook_teardown();
}

module_init(ng_init);
module_exit(ng_exit);

MODULE_DESCRIPTION("Names and repairs packet-path faults that ordinary tools do not show");
MODULE_AUTHOR("The netguard developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NG_VERSION);
/* The guards that were built with this core, so that one modprobe loads all. */
MODULE_SOFTDEP(NG_SOFTDEP);

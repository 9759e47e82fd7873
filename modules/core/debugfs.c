// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/netguard: version, and per guard counters and one table.
 *
 * Every file is 0444 and has neither write nor ioctl, so that it stays readable
 * under kernel lockdown. The file operations belong to the core: an open file
 * keeps netguard.ko from unloading, but no guard.
 */

#include "core.h"

#include <linux/debugfs.h>
#include <linux/module.h>

static struct dentry *ng_debugfs_root;

static int ng_version_show(struct seq_file *m, void *unused)
{
	seq_puts(m, NG_VERSION "\n");
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(ng_version);

static int ng_counters_show(struct seq_file *m, void *unused)
{
	const struct ng_guard *guard = m->private;
	unsigned int id;

	for (id = 0; id < guard->n_counters; id++)
		seq_printf(m, "%s %llu\n", guard->counters[id].name,
			   guard->read ? guard->read(id) :
			   ng_count_read(guard, id));
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(ng_counters);

static int ng_table_open(struct inode *inode, struct file *file)
{
	const struct ng_guard *guard = inode->i_private;
	struct seq_file *m;
	int err;

	err = seq_open(file, guard->rows ? &ng_table_seq : guard->table);
	if (err)
		return err;

	m = file->private_data;
	m->private = guard->rows;
	return 0;
}

static const struct file_operations ng_table_fops = {
	.owner = THIS_MODULE,
	.open = ng_table_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

void ng_debugfs_add_guard(struct ng_guard *guard)
{
	guard->dir = debugfs_create_dir(guard->name, ng_debugfs_root);
	debugfs_create_file("counters", 0444, guard->dir, guard,
			    &ng_counters_fops);
	debugfs_create_file(guard->table_name, 0444, guard->dir, guard,
			    &ng_table_fops);
}

void ng_debugfs_remove_guard(struct ng_guard *guard)
{
	debugfs_remove(guard->dir);
}

void ng_debugfs_setup(void)
{
	ng_debugfs_root = debugfs_create_dir("netguard", NULL);
	debugfs_create_file("version", 0444, ng_debugfs_root, NULL,
			    &ng_version_fops);
}

void ng_debugfs_teardown(void)
{
	debugfs_remove(ng_debugfs_root);
}

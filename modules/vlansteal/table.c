// SPDX-License-Identifier: GPL-2.0
/* How a thief looks in debugfs and in the log. */

#include "vlansteal.h"

#include <linux/seq_file.h>

static u64 vlansteal_thief_frames(const struct vlansteal_thief *thief,
				  enum vlansteal_fate fate)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(thief->frames, cpu)->by_fate[fate];

	return sum;
}

static const char *vlansteal_proto_name(const struct net_device *thief)
{
	return vlan_dev_priv(thief)->vlan_proto == htons(ETH_P_8021AD) ?
		"802.1ad" : "802.1Q";
}

/* Under vlansteal_mutex or RTNL; RCU because the thief may change its netns. */
static void vlansteal_row(struct seq_buf *row, const void *entry)
{
	const struct vlansteal_thief *thief = entry;
	const struct net_device *lower = thief->port->dev;
	const struct net_device *dev = thief->dev;

	rcu_read_lock();
	ng_row_printf(row, "netns=%u", dev_net(dev)->ns.inum);
	rcu_read_unlock();
	ng_row_str(row, "thief", dev->name);
	ng_row_printf(row, "ifindex=%d", dev->ifindex);
	ng_row_str(row, "state", str_up_down(dev->flags & IFF_UP));
	ng_row_str(row, "lower", lower->name);
	ng_row_printf(row, "lower_ifindex=%d", lower->ifindex);
	ng_row_str(row, "master", thief->port->lag->name);
	ng_row_str(row, "proto", vlansteal_proto_name(dev));
	ng_row_printf(row, "vid=%u", vlan_dev_priv(dev)->vlan_id);
	ng_row_str(row, "verdict", thief->verdict == VLANSTEAL_CONFLICT ?
		   "conflict" : "private");
	ng_row_printf(row, "frames_stolen=%llu",
		      vlansteal_thief_frames(thief, VLANSTEAL_STOLEN));
	ng_row_printf(row, "frames_lost=%llu",
		      vlansteal_thief_frames(thief, VLANSTEAL_LOST));
	ng_row_printf(row, "frames_rescued=%llu",
		      vlansteal_thief_frames(thief, VLANSTEAL_RESCUED));
}

/* A position is a serial: what comes and goes moves nobody. */
static void *vlansteal_table_start(struct seq_file *m, loff_t *pos)
{
	struct vlansteal_thief *thief;

	mutex_lock(&vlansteal_mutex);
	list_for_each_entry(thief, &vlansteal_thieves, list)
		if (thief->serial >= *pos) {
			*pos = thief->serial;
			return thief;
		}

	return NULL;
}

static void *vlansteal_table_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct vlansteal_thief *thief = v;

	*pos = thief->serial + 1;
	if (list_is_last(&thief->list, &vlansteal_thieves))
		return NULL;

	thief = list_next_entry(thief, list);
	*pos = thief->serial;
	return thief;
}

static void vlansteal_table_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&vlansteal_mutex);
}

static int vlansteal_table_show(struct seq_file *m, void *v)
{
	return ng_row_show(m, vlansteal_row, v);
}

const struct seq_operations vlansteal_table = {
	.start = vlansteal_table_start,
	.next = vlansteal_table_next,
	.stop = vlansteal_table_stop,
	.show = vlansteal_table_show,
};

void vlansteal_announce(const struct vlansteal_thief *thief)
{
	bool conflict = thief->verdict == VLANSTEAL_CONFLICT;
	const struct net_device *dev = thief->dev;
	struct ng_finding *finding;
	char enter[NG_ENTER_MAX];
	char word[NG_WORD_MAX];
	char cause[256];
	char fix[256];

	finding = ng_finding_begin(&vlansteal_guard, dev_net(dev),
				   conflict ? NG_WARNING : NG_INFO);
	if (!finding)
		return;

	ng_shell_enter(enter, dev_net(dev));
	ng_shell_word(word, dev->name);

	if (conflict) {
		snprintf(cause, sizeof(cause),
			 "VLANs on a LAG port are served before the LAG: %s takes the %s VLAN %u frames that arrive on %s and belong above %s; setting it down drops them",
			 dev->name, vlansteal_proto_name(dev),
			 vlan_dev_priv(dev)->vlan_id, thief->port->dev->name,
			 thief->port->lag->name);
		snprintf(fix, sizeof(fix), "%sip link delete %s", enter, word);
	} else {
		snprintf(cause, sizeof(cause),
			 "nothing above %s uses %s VLAN %u: %s on its port %s is taken to be there on purpose",
			 thief->port->lag->name, vlansteal_proto_name(dev),
			 vlan_dev_priv(dev)->vlan_id, dev->name,
			 thief->port->dev->name);
		snprintf(fix, sizeof(fix),
			 "none needed; if it is a leftover: %sip link delete %s",
			 enter, word);
	}

	vlansteal_row(ng_finding_row(finding), thief);
	ng_finding_end(finding, cause, fix);
}

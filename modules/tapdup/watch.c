// SPDX-License-Identifier: GPL-2.0
/*
 * When the devices of a netns have their hooks: while a packet socket is open
 * there.
 *
 * A device gets its hooks before what is below it may set a mark, and loses
 * them after a grace period in which nobody does.
 */

#include "tapdup.h"

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <net/netns/generic.h>

/* Opening a packet socket is told to nobody, so one has to look. */
#define TAPDUP_PERIOD (HZ / 2)
/* So many looks without a packet socket, and the hooks go. */
#define TAPDUP_QUIET_LOOKS 4
/* No frame stays longer on its way between two devices. */
#define TAPDUP_STRAY_TIME (3 * HZ)

u32 tapdup_strays;

static unsigned int tapdup_net_id;
static unsigned long tapdup_strays_until;
static void tapdup_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(tapdup_watch_work, tapdup_watch);

struct tapdup_net *tapdup_net(const struct net *net)
{
	return net_generic(net, tapdup_net_id);
}

static int tapdup_netdev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct netdev_notifier_changeupper_info *info = ptr;
	bool live = tapdup_net(dev_net(dev))->live;
	struct tapdup_dev *td;

	switch (event) {
	case NETDEV_REGISTER:
		if (live)
			tapdup_look_at(dev);
		tapdup_look_at_lowers(dev);
		break;
	case NETDEV_CHANGEUPPER:
		/* From above, so that the lower finds the upper's hook. */
		if (tapdup_net(dev_net(info->upper_dev))->live)
			tapdup_look_at(info->upper_dev);
		if (live)
			tapdup_look_at(dev);
		break;
	case NETDEV_UNREGISTER:
		td = tapdup_dev_known(dev);
		if (td)
			tapdup_forget(td);
		break;
	}

	return NOTIFY_DONE;
}

static struct notifier_block tapdup_notifier = {
	.notifier_call = tapdup_netdev_event,
	.priority = NG_NOTIFIER_LAST,
};

static void tapdup_net_attach(struct net *net)
{
	struct tapdup_net *tn = tapdup_net(net);
	struct net_device *dev;

	if (tn->live)
		return;

	for_each_netdev(net, dev)
		tapdup_look_at(dev);
	/* Once more: now every LAG can be found by its ports. */
	for_each_netdev(net, dev)
		if (netif_is_lag_port(dev))
			tapdup_look_at(dev);
	/* Pairs with tapdup_is_live(). */
	smp_store_release(&tn->live, true);
}

static void tapdup_net_detach(struct net *net)
{
	struct tapdup_net *tn = tapdup_net(net);
	struct tapdup_dev *td;

	list_for_each_entry(td, &tapdup_devs, list)
		if (td->tn == tn)
			tapdup_detach(td);
}

static bool tapdup_is_open(const struct net *net)
{
	return !hlist_empty(&net->packet.sklist);
}

/*
 * Ends marking where nobody captures any more. The hooks go in the next step,
 * behind a grace period, after which no marked frame is left before them.
 */
static bool tapdup_close(bool all)
{
	struct tapdup_net *tn;
	bool closed = false;
	struct net *net;

	rtnl_lock();
	down_read(&net_rwsem);
	for_each_net(net) {
		tn = tapdup_net(net);
		tn->quiet = tapdup_is_open(net) ? 0 : tn->quiet + 1;
		if (tn->live && (all || tn->quiet >= TAPDUP_QUIET_LOOKS)) {
			WRITE_ONCE(tn->live, false);
			closed = true;
		}
	}
	up_read(&net_rwsem);
	rtnl_unlock();

	if (closed)
		synchronize_net();
	return closed;
}

static void tapdup_settle(bool all_off)
{
	struct net *net;

	rtnl_lock();
	down_read(&net_rwsem);
	for_each_net(net) {
		if (!all_off && tapdup_is_open(net))
			tapdup_net_attach(net);
		else if (!tapdup_net(net)->live)
			tapdup_net_detach(net);
	}
	up_read(&net_rwsem);
	rtnl_unlock();
}

/* Is there a netns where packet sockets and hooks do not agree? */
static bool tapdup_has_work(void)
{
	bool work = false;
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net)
		work |= tapdup_is_open(net) != READ_ONCE(tapdup_net(net)->live);
	rcu_read_unlock();
	return work;
}

static void tapdup_watch(struct work_struct *unused)
{
	if (time_after(jiffies, READ_ONCE(tapdup_strays_until)))
		WRITE_ONCE(tapdup_strays, tapdup_bit());

	if (tapdup_has_work()) {
		tapdup_close(false);
		tapdup_settle(false);
	}
	queue_delayed_work(system_power_efficient_wq, &tapdup_watch_work,
			   TAPDUP_PERIOD);
}

/*
 * The parameter mark or mode has a new value, also before the watch begins and
 * after it has ended. The old bit is under way a little longer.
 */
void tapdup_watch_bit_changed(u32 old)
{
	WRITE_ONCE(tapdup_strays_until, jiffies + TAPDUP_STRAY_TIME);
	WRITE_ONCE(tapdup_strays, tapdup_strays | old | READ_ONCE(tapdup_mark));
	tapdup_others_forget();
}

static int __net_init tapdup_net_init(struct net *net)
{
	static const struct nf_hook_ops bridge_ops[TAPDUP_BRIDGE_HOOKS] = {
		{
			.hook = tapdup_bridge_up,
			.pf = NFPROTO_BRIDGE,
			.hooknum = NF_BR_LOCAL_IN,
			.priority = INT_MAX,
		}, {
			.hook = tapdup_bridge_out,
			.pf = NFPROTO_BRIDGE,
			.hooknum = NF_BR_LOCAL_OUT,
			.priority = INT_MIN,
		},
	};
	static const struct nf_hook_ops stack_ops[TAPDUP_STACK_HOOKS] = {
		{
			.hook = tapdup_stack,
			.pf = NFPROTO_INET,
			.hooknum = NF_INET_PRE_ROUTING,
			.priority = INT_MIN,
		}, {
			.hook = tapdup_stack,
			.pf = NFPROTO_ARP,
			.hooknum = NF_ARP_IN,
			.priority = INT_MIN,
		},
	};
	struct tapdup_net *tn = tapdup_net(net);
	int i;

	memcpy(tn->bridge_ops, bridge_ops, sizeof(bridge_ops));
	memcpy(tn->stack_ops, stack_ops, sizeof(stack_ops));
	for (i = 0; i < TAPDUP_BRIDGE_HOOKS; i++)
		tn->bridge_ops[i].priv = tn;
	return 0;
}

static struct pernet_operations tapdup_net_ops = {
	.init = tapdup_net_init,
	.id = &tapdup_net_id,
	.size = sizeof(struct tapdup_net),
};

int tapdup_watch_start(void)
{
	int err;

	tapdup_strays = tapdup_bit();
	tapdup_strays_until = jiffies;
	err = register_pernet_subsys(&tapdup_net_ops);
	if (err)
		return err;

	err = register_netdevice_notifier(&tapdup_notifier);
	if (err) {
		unregister_pernet_subsys(&tapdup_net_ops);
		return err;
	}

	queue_delayed_work(system_power_efficient_wq, &tapdup_watch_work, 0);
	return 0;
}

void tapdup_watch_stop(void)
{
	struct tapdup_dev *td, *next;
	bool copies = false;

	cancel_delayed_work_sync(&tapdup_watch_work);
	tapdup_close(true);

	rtnl_lock();
	list_for_each_entry(td, &tapdup_devs, list)
		copies |= td->roles & TAPDUP_HAS_MACVLANS;
	rtnl_unlock();
	/* macvlan_broadcast_enqueue() leaves marked copies to a worker. */
	if (copies)
		msleep(100);

	tapdup_settle(true);
	unregister_netdevice_notifier(&tapdup_notifier);

	rtnl_lock();
	list_for_each_entry_safe(td, next, &tapdup_devs, list)
		tapdup_forget(td);
	rtnl_unlock();
	unregister_pernet_subsys(&tapdup_net_ops);

	/* The last frame is out of the hooks; the parameters stay a bit. */
	synchronize_net();
	tapdup_others_forget();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * When the devices of a netns have their hooks: while a packet socket is open
 * there that can see a packet more than once, because it takes all protocols of
 * all devices. What dhclient, lldpd or networkd hold all day is bound to a
 * device or a protocol, and is no reason.
 *
 * A device gets its hooks before what is below it may set a mark, and loses
 * them after a grace period in which nobody does.
 */

#include "tapdup.h"

#include <linux/if_packet.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <net/sock.h>

/* Opening a packet socket is told to nobody, so one has to look. */
#define TAPDUP_PERIOD (HZ / 2)
/* With more packet sockets than this in one netns nobody looks at each. */
#define TAPDUP_MAX_SOCKETS 256
/* Devices that lose their hooks under one hold of RTNL. */
#define TAPDUP_STEP 64
/* So many looks without a packet socket, and the hooks go. */
#define TAPDUP_QUIET_LOOKS 4
/* No frame stays longer on its way between two devices. */
#define TAPDUP_STRAY_TIME (3 * HZ)

static unsigned long tapdup_strays_until;
/*
 * All namespaces. Not to be taken under RTNL: packet_diag_dump() takes RTNL
 * under sklist_lock, and that is taken under this.
 */
static DEFINE_MUTEX(tapdup_nets_mutex);
static LIST_HEAD(tapdup_nets);
static void tapdup_poll(struct work_struct *work);
static DECLARE_DELAYED_WORK(tapdup_poll_work, tapdup_poll);

static int tapdup_netdev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct netdev_notifier_changeupper_info *info = ptr;
	struct tapdup_dev *td;

	switch (event) {
	case NETDEV_REGISTER:
		tapdup_sync(dev);
		tapdup_sync_others(dev);
		break;
	case NETDEV_CHANGEUPPER:
		/* From above, so that the lower finds the upper's hook. */
		tapdup_sync(info->upper_dev);
		tapdup_sync(dev);
		break;
	case NETDEV_UNREGISTER:
		td = tapdup_dev_find(dev);
		if (td)
			tapdup_dev_unregister(td);
		break;
	}

	return NOTIFY_DONE;
}

static struct notifier_block tapdup_notifier = {
	.notifier_call = tapdup_netdev_event,
	.priority = NG_NOTIFIER_LAST,
};

/* struct packet_sock is its own file's, but says where it is bound. */
static bool tapdup_is_tap(struct sock *sk)
{
	struct sockaddr_storage address = {};
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)&address;

	/* The old kind has another address, and no user that is known. */
	if (sk->sk_type == SOCK_PACKET)
		return true;

	/* Its struct socket stays while it is in the list, packet_release(). */
	return kernel_getsockname(sk->sk_socket,
				  (struct sockaddr *)&address) > 0 &&
	       ll->sll_protocol == htons(ETH_P_ALL) && !ll->sll_ifindex;
}

static bool tapdup_has_tap(struct net *net)
{
	unsigned int n = 0;
	bool tap = false;
	struct sock *sk;

	if (hlist_empty(&net->packet.sklist))
		return false;

	mutex_lock(&net->packet.sklist_lock);
	sk_for_each(sk, &net->packet.sklist) {
		tap = n++ == TAPDUP_MAX_SOCKETS || tapdup_is_tap(sk);
		if (tap)
			break;
	}
	mutex_unlock(&net->packet.sklist_lock);
	return tap;
}

static bool tapdup_is_attaching(const struct net *net)
{
	return tapdup_net(net)->phase == TAPDUP_ATTACHING;
}

/* Return: true if there is a netns whose devices are to get their hooks. */
static bool tapdup_attach_begin(void)
{
	struct tapdup_net *tn;
	bool begun = false;

	mutex_lock(&tapdup_nets_mutex);
	rtnl_lock();
	list_for_each_entry(tn, &tapdup_nets, list)
		if (tn->phase == TAPDUP_OFF && tn->tap) {
			tn->phase = TAPDUP_ATTACHING;
			begun = true;
		}
	rtnl_unlock();
	mutex_unlock(&tapdup_nets_mutex);
	return begun;
}

static void tapdup_attach_end(void)
{
	struct tapdup_net *tn;

	mutex_lock(&tapdup_nets_mutex);
	rtnl_lock();
	list_for_each_entry(tn, &tapdup_nets, list)
		if (tn->phase == TAPDUP_ATTACHING) {
			tn->phase = TAPDUP_LIVE;
			tapdup_net_mark_start(tn);
		}
	rtnl_unlock();
	mutex_unlock(&tapdup_nets_mutex);
}

/*
 * No device is without its hooks at the end: the walk looks at each that stays
 * where it is, the notifier at those that come, move or are linked after the
 * beginning, and to look at a device twice does nothing.
 */
static void tapdup_open(void)
{
	if (!tapdup_attach_begin())
		return;

	ng_netdev_walk(tapdup_is_attaching, tapdup_sync);
	tapdup_attach_end();
}

/* Return: true if a step was not enough. */
static bool tapdup_detach_some(void)
{
	struct tapdup_dev *td;
	unsigned int n = 0;

	list_for_each_entry(td, &tapdup_devs, list) {
		if (!td->watched || td->tn->phase != TAPDUP_OFF)
			continue;
		if (n++ == TAPDUP_STEP)
			return true;
		tapdup_detach(td);
	}
	return false;
}

/* Lets others have RTNL in between. */
static void tapdup_detach_all(void)
{
	bool more;

	do {
		rtnl_lock();
		more = tapdup_detach_some();
		rtnl_unlock();
		cond_resched();
	} while (more);

	/* Before anything goes into these lists again. */
	synchronize_net();
}

/*
 * Ends marking where nobody captures any more, then takes the hooks off, behind
 * a grace period, after which no marked frame is left before them.
 */
static void tapdup_close(bool all)
{
	bool closed = false;
	struct tapdup_net *tn;

	mutex_lock(&tapdup_nets_mutex);
	rtnl_lock();
	list_for_each_entry(tn, &tapdup_nets, list) {
		if (tn->phase == TAPDUP_OFF ||
		    (!all && tn->quiet < TAPDUP_QUIET_LOOKS))
			continue;
		tn->phase = TAPDUP_CLOSING;
		tapdup_net_mark_stop(tn);
		closed = true;
	}
	rtnl_unlock();
	mutex_unlock(&tapdup_nets_mutex);
	if (!closed)
		return;

	synchronize_net();

	mutex_lock(&tapdup_nets_mutex);
	rtnl_lock();
	list_for_each_entry(tn, &tapdup_nets, list)
		if (tn->phase == TAPDUP_CLOSING)
			tn->phase = TAPDUP_OFF;
	rtnl_unlock();
	mutex_unlock(&tapdup_nets_mutex);
	tapdup_detach_all();
}

/* Is there a netns where taps and hooks do not agree? */
static bool tapdup_nets_poll(void)
{
	struct tapdup_net *tn;
	bool work = false;

	mutex_lock(&tapdup_nets_mutex);
	list_for_each_entry(tn, &tapdup_nets, list) {
		tn->tap = tapdup_has_tap(tn->net);
		tn->quiet = tn->tap ? 0 : tn->quiet + 1;
		work |= tn->phase != (tn->tap ? TAPDUP_LIVE : TAPDUP_OFF);
	}
	mutex_unlock(&tapdup_nets_mutex);
	return work;
}

static void tapdup_poll(struct work_struct *unused)
{
	if (time_after(jiffies, READ_ONCE(tapdup_strays_until)))
		WRITE_ONCE(tapdup_strays, tapdup_wanted_bit());

	if (tapdup_nets_poll()) {
		tapdup_close(false);
		tapdup_open();
	}
	queue_delayed_work(system_power_efficient_wq, &tapdup_poll_work,
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

	tapdup_nets_sync();
	tapdup_others_reset();
}

static int __net_init tapdup_net_init(struct net *net)
{
	struct tapdup_net *tn = tapdup_net(net);

	tn->net = net;
	INIT_LIST_HEAD(&tn->live);
	tapdup_net_setup(tn);
	mutex_lock(&tapdup_nets_mutex);
	list_add_tail(&tn->list, &tapdup_nets);
	mutex_unlock(&tapdup_nets_mutex);
	return 0;
}

static void __net_exit tapdup_net_exit(struct net *net)
{
	struct tapdup_net *tn = tapdup_net(net);

	mutex_lock(&tapdup_nets_mutex);
	list_del(&tn->list);
	mutex_unlock(&tapdup_nets_mutex);
	tapdup_net_mark_stop(tn);
	tapdup_net_teardown(tn);
}

static struct pernet_operations tapdup_net_ops = {
	.init = tapdup_net_init,
	.exit = tapdup_net_exit,
	.id = &tapdup_net_id,
	.size = sizeof(struct tapdup_net),
};

int tapdup_watch_start(void)
{
	int err;

	tapdup_strays = tapdup_wanted_bit();
	tapdup_strays_until = jiffies;
	err = register_pernet_subsys(&tapdup_net_ops);
	if (err)
		return err;

	err = register_netdevice_notifier(&tapdup_notifier);
	if (err) {
		unregister_pernet_subsys(&tapdup_net_ops);
		return err;
	}

	queue_delayed_work(system_power_efficient_wq, &tapdup_poll_work, 0);
	return 0;
}

void tapdup_watch_stop(void)
{
	cancel_delayed_work_sync(&tapdup_poll_work);
	tapdup_close(true);
	/* Makes every device look unregistered to us, which forgets it. */
	unregister_netdevice_notifier(&tapdup_notifier);
	unregister_pernet_subsys(&tapdup_net_ops);

	/* The last frame is out of the hooks; the parameters stay a bit. */
	synchronize_net();
	tapdup_others_reset();
}

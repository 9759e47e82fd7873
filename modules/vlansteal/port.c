// SPDX-License-Identifier: GPL-2.0
/*
 * The ports that have thieves, and the thieves: how they are kept, and what is
 * attached to them. The hook is on a port while it has a conflict.
 */

#include "vlansteal.h"

#include <linux/slab.h>
#include <net/netns/generic.h>

/* Guards the two lists and what hangs on them, together with RTNL. */
DEFINE_MUTEX(vlansteal_mutex);
LIST_HEAD(vlansteal_thieves);
static LIST_HEAD(vlansteal_ports);

/* The thieves of a namespace, of all of them, of all but the first. */
struct vlansteal_net {
	unsigned int thieves;
};

static unsigned int vlansteal_net_id;
static unsigned int vlansteal_thieves_all;
static unsigned int vlansteal_thieves_others;

static void vlansteal_account(const struct net *net, int thieves)
{
	struct vlansteal_net *here = net_generic(net, vlansteal_net_id);

	here->thieves += thieves;
	vlansteal_thieves_all += thieves;
	if (!net_eq(net, &init_net))
		vlansteal_thieves_others += thieves;
}

/* So that no tenant takes the others' room, nor all of them the host's. */
static bool vlansteal_has_room(const struct net *net)
{
	const struct vlansteal_net *here = net_generic(net, vlansteal_net_id);

	if (vlansteal_thieves_all >= VLANSTEAL_THIEVES)
		return false;

	return net_eq(net, &init_net) ||
	       (vlansteal_thieves_others < VLANSTEAL_THIEVES_OTHERS &&
		here->thieves < VLANSTEAL_THIEVES_OTHER);
}

static struct pernet_operations vlansteal_net_ops = {
	.id = &vlansteal_net_id,
	.size = sizeof(struct vlansteal_net),
};

int vlansteal_ports_setup(void)
{
	return register_pernet_subsys(&vlansteal_net_ops);
}

void vlansteal_ports_teardown(void)
{
	unregister_pernet_subsys(&vlansteal_net_ops);
}

/*
 * A hook on the thief itself sees what reaches it in spite of the one on the
 * port. Not its rx_handler: then it could not join a team or an Open vSwitch.
 */
void vlansteal_backstop_sync(struct vlansteal_thief *thief)
{
	thief->synced_mode = vlansteal_mode.value;
	if (!vlansteal_rescues() || thief->verdict != VLANSTEAL_CONFLICT)
		ng_hook_detach(&thief->backstop);
	else if (!ng_hook_attached(&thief->backstop))
		/* One that is on its way out has none. */
		ng_hook_attach(&thief->backstop, thief->dev, NF_NETDEV_INGRESS,
			       INT_MIN, vlansteal_backstop, NULL);
}

struct vlansteal_port *vlansteal_port_find(const struct net_device *dev)
{
	struct vlansteal_port *port;

	list_for_each_entry(port, &vlansteal_ports, list)
		if (port->dev == dev)
			return port;

	return NULL;
}

struct vlansteal_port *vlansteal_port_get(struct net_device *dev)
{
	struct vlansteal_port *port = vlansteal_port_find(dev);

	if (port)
		return port;

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;

	port->dev = dev;
	INIT_LIST_HEAD(&port->thieves);
	list_add_tail(&port->list, &vlansteal_ports);
	return port;
}

static void vlansteal_port_free(struct rcu_head *rcu)
{
	struct vlansteal_port *port =
		container_of(rcu, struct vlansteal_port, rcu);
	int i;

	for (i = 0; i < ARRAY_SIZE(port->parts); i++)
		kfree(rcu_access_pointer(port->parts[i]));
	kfree(port);
}

/* The hook goes with the last conflict, the port with its last thief. */
void vlansteal_port_sync(struct vlansteal_port *port)
{
	int err;

	if (port->conflicts && !ng_hook_attached(&port->hook)) {
		err = ng_hook_attach(&port->hook, port->dev, NF_NETDEV_INGRESS,
				     INT_MAX, vlansteal_ingress, port);
		if (err)
			netdev_warn_once(port->dev, "netguard_vlansteal: no ingress hook, frames are not counted: %d\n",
					 err);
	} else if (!port->conflicts) {
		ng_hook_detach(&port->hook);
	}

	if (list_empty(&port->thieves)) {
		list_del(&port->list);
		call_rcu(&port->rcu, vlansteal_port_free);
	}
}

/* The place for a thief on its port, NULL when memory is short. */
static struct vlansteal_thief __rcu **
vlansteal_port_place(struct vlansteal_port *port, unsigned int slot)
{
	struct vlansteal_part __rcu **where =
		&port->parts[slot / VLANSTEAL_PART];
	struct vlansteal_part *part = rtnl_dereference(*where);

	if (!part) {
		part = kzalloc(sizeof(*part), GFP_KERNEL);
		if (!part)
			return NULL;
		rcu_assign_pointer(*where, part);
	}

	return &part->thieves[slot % VLANSTEAL_PART];
}

void vlansteal_thief_judge(struct vlansteal_thief *thief,
			   enum vlansteal_verdict verdict)
{
	struct vlansteal_port *port = thief->port;

	if (thief->verdict == verdict)
		return;

	thief->verdict = verdict;
	if (verdict == VLANSTEAL_CONFLICT) {
		port->conflicts++;
		ng_count(&vlansteal_guard, VLANSTEAL_conflicts);
		set_bit(thief->slot, port->taken);
	} else {
		port->conflicts--;
		ng_count_add(&vlansteal_guard, VLANSTEAL_conflicts, -1);
		clear_bit(thief->slot, port->taken);
	}
	vlansteal_backstop_sync(thief);
}

struct vlansteal_thief *vlansteal_thief_add(struct vlansteal_port *port,
					    struct net_device *dev,
					    unsigned int slot)
{
	struct vlansteal_thief __rcu **place;
	struct vlansteal_thief *thief;
	static loff_t serial;

	if (!vlansteal_has_room(dev_net(dev)))
		goto err;
	place = vlansteal_port_place(port, slot);
	if (!place)
		goto err;

	thief = kzalloc(sizeof(*thief), GFP_KERNEL);
	if (!thief)
		goto err;

	thief->frames = alloc_percpu(struct vlansteal_frames);
	if (!thief->frames)
		goto err_thief;

	thief->serial = ++serial;
	thief->dev = dev;
	thief->net = dev_net(dev);
	thief->port = port;
	thief->slot = slot;
	thief->synced_mode = vlansteal_mode.value;
	rcu_assign_pointer(*place, thief);
	list_add(&thief->on_port, &port->thieves);
	list_add_tail(&thief->list, &vlansteal_thieves);
	vlansteal_account(thief->net, 1);
	ng_count(&vlansteal_guard, VLANSTEAL_thieves);
	return thief;

err_thief:
	kfree(thief);
err:
	ng_count(&vlansteal_guard, VLANSTEAL_thieves_missed);
	return NULL;
}

/* It has come to another namespace, while the old one is still there. */
void vlansteal_thief_move(struct vlansteal_thief *thief)
{
	vlansteal_account(thief->net, -1);
	thief->net = dev_net(thief->dev);
	vlansteal_account(thief->net, 1);
}

static void vlansteal_thief_free(struct rcu_head *rcu)
{
	struct vlansteal_thief *thief =
		container_of(rcu, struct vlansteal_thief, rcu);

	free_percpu(thief->frames);
	kfree(thief);
}

void vlansteal_thief_remove(struct vlansteal_thief *thief)
{
	struct vlansteal_port *port = thief->port;

	vlansteal_thief_judge(thief, VLANSTEAL_PRIVATE);
	/* Never NULL: it was there for this thief. */
	RCU_INIT_POINTER(*vlansteal_port_place(port, thief->slot), NULL);
	list_del(&thief->on_port);
	list_del(&thief->list);
	vlansteal_account(thief->net, -1);
	ng_count_add(&vlansteal_guard, VLANSTEAL_thieves, -1);
	call_rcu(&thief->rcu, vlansteal_thief_free);
	vlansteal_port_sync(port);
}

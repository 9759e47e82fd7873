// SPDX-License-Identifier: GPL-2.0
/*
 * The ports that have thieves, and the thieves: how they are kept, and what is
 * attached to them. The hook is on a port while it has a conflict.
 */

#include "vlansteal.h"

#include <linux/slab.h>

/* Guards the two lists and what hangs on them, together with RTNL. */
DEFINE_MUTEX(vlansteal_mutex);
LIST_HEAD(vlansteal_thieves);
static LIST_HEAD(vlansteal_ports);

void vlansteal_settle_backstop(struct vlansteal_thief *thief)
{
	bool wanted = vlansteal_rescues() &&
		      thief->verdict == VLANSTEAL_CONFLICT;

	thief->settled_mode = vlansteal_mode.value;
	if (wanted == thief->backstop)
		return;

	if (wanted) {
		/* Somebody else may have the slot; it is theirs then. */
		thief->backstop = !netdev_rx_handler_register(thief->dev,
							      vlansteal_backstop,
							      NULL);
	} else {
		netdev_rx_handler_unregister(thief->dev);
		thief->backstop = false;
	}
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
void vlansteal_port_settle(struct vlansteal_port *port)
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

	if (!port->n_thieves) {
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
	vlansteal_settle_backstop(thief);
}

struct vlansteal_thief *vlansteal_thief_add(struct vlansteal_port *port,
					    struct net_device *dev,
					    unsigned int slot)
{
	struct vlansteal_thief __rcu **place = vlansteal_port_place(port, slot);
	struct vlansteal_thief *thief;

	if (!place)
		return NULL;

	thief = kzalloc(sizeof(*thief), GFP_KERNEL);
	if (!thief)
		return NULL;

	thief->frames = alloc_percpu(struct vlansteal_frames);
	if (!thief->frames)
		goto err_thief;

	thief->dev = dev;
	thief->port = port;
	thief->slot = slot;
	thief->settled_mode = vlansteal_mode.value;
	rcu_assign_pointer(*place, thief);
	port->n_thieves++;
	list_add_tail(&thief->list, &vlansteal_thieves);
	ng_count(&vlansteal_guard, VLANSTEAL_thieves);
	return thief;

err_thief:
	kfree(thief);
	return NULL;
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
	port->n_thieves--;
	list_del(&thief->list);
	ng_count_add(&vlansteal_guard, VLANSTEAL_thieves, -1);
	call_rcu(&thief->rcu, vlansteal_thief_free);
	vlansteal_port_settle(port);
}

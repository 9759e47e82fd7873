// SPDX-License-Identifier: GPL-2.0
/*
 * A look at the real NICs without a hook, for one second in sixty: a probe on
 * the tracepoint of received frames. It names who pads badly and changes
 * nothing, and costs nothing in the other fifty-nine.
 *
 * A probe runs with preemption off, where PREEMPT_RT forbids the table's locks.
 * So what it finds waits for a worker, in one of a few places.
 */

#include "padstrip.h"

#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#define PADSTRIP_SAMPLE_ON HZ
#define PADSTRIP_SAMPLE_OFF (59 * HZ)
#define PADSTRIP_SIGHTINGS 16

/**
 * struct padstrip_sighting - a bad frame that waits for the worker
 * @state: it is free, being written, or ready to be read
 * @dev: who received it; held, so that its rows can be told from later ones
 * @mac: who sent it
 * @len: of the frame
 * @padding: its padding
 */
struct padstrip_sighting {
	atomic_t state;
	struct net_device *dev;
	u8 mac[ETH_ALEN];
	unsigned int len;
	struct padstrip_padding padding;
};

enum padstrip_sighting_state {
	PADSTRIP_FREE,
	PADSTRIP_BUSY,
	PADSTRIP_READY,
};

static struct padstrip_sighting padstrip_sightings[PADSTRIP_SIGHTINGS];
static struct ng_probe padstrip_probe;
static bool padstrip_sampling;

static void padstrip_sightings_read(struct work_struct *work)
{
	struct padstrip_sighting *sighting;
	unsigned int i;

	for (i = 0; i < PADSTRIP_SIGHTINGS; i++) {
		sighting = &padstrip_sightings[i];
		if (atomic_read_acquire(&sighting->state) != PADSTRIP_READY)
			continue;
		/* It may be on its way to another netns, or away. */
		rcu_read_lock();
		if (READ_ONCE(sighting->dev->reg_state) == NETREG_REGISTERED)
			padstrip_sender_seen(sighting->dev, sighting->mac,
					     sighting->len, &sighting->padding);
		rcu_read_unlock();
		dev_put(sighting->dev);
		atomic_set_release(&sighting->state, PADSTRIP_FREE);
	}
}

static DECLARE_WORK(padstrip_sightings_work, padstrip_sightings_read);

static void padstrip_sighted(struct sk_buff *skb,
			     const struct padstrip_padding *padding)
{
	struct padstrip_sighting *sighting;
	unsigned int i;

	for (i = 0; i < PADSTRIP_SIGHTINGS; i++) {
		sighting = &padstrip_sightings[i];
		if (atomic_cmpxchg(&sighting->state, PADSTRIP_FREE,
				   PADSTRIP_BUSY) != PADSTRIP_FREE)
			continue;
		/* Until the worker has been there, a moment later. */
		dev_hold(skb->dev);
		sighting->dev = skb->dev;
		ether_addr_copy(sighting->mac, eth_hdr(skb)->h_source);
		sighting->len = ETH_HLEN + skb->len +
				(skb_vlan_tag_present(skb) ? VLAN_HLEN : 0);
		sighting->padding = *padding;
		atomic_set_release(&sighting->state, PADSTRIP_READY);
		schedule_work(&padstrip_sightings_work);
		return;
	}

	ng_count(&padstrip_guard, PADSTRIP_senders_missed);
}

/* In softirq, of any device. */
static void padstrip_sample_frame(void *data, struct sk_buff *skb)
{
	struct padstrip_padding padding;

	if (!padstrip_is_nic(skb->dev) || padstrip_is_exact(skb) ||
	    padstrip_zeros(skb) ||
	    padstrip_judge(skb, &padding) != PADSTRIP_NONZERO ||
	    padstrip_has_hook(skb->dev))
		return;

	ng_count(&padstrip_guard, PADSTRIP_frames_nonzero);
	ng_count(&padstrip_guard, PADSTRIP_frames_sampled);
	padstrip_sighted(skb, &padding);
}

static void padstrip_sample_turn(struct work_struct *work);
static DECLARE_DELAYED_WORK(padstrip_sample_work, padstrip_sample_turn);

static void padstrip_sample_turn(struct work_struct *work)
{
	bool on = padstrip_probe.tp;

	if (on)
		ng_probe_detach(&padstrip_probe);
	padstrip_devices_poll();
	/* Without this tracepoint, or short of memory: the next turn tries again. */
	if (!on && !READ_ONCE(padstrip_sample.value))
		ng_probe_attach(&padstrip_probe, "netif_receive_skb",
				padstrip_sample_frame, NULL);
	queue_delayed_work(system_power_efficient_wq, &padstrip_sample_work,
			   padstrip_probe.tp ? PADSTRIP_SAMPLE_ON :
					       PADSTRIP_SAMPLE_OFF);
}

void padstrip_sample_changed(void)
{
	if (READ_ONCE(padstrip_sampling))
		mod_delayed_work(system_power_efficient_wq,
				 &padstrip_sample_work, 0);
}

void padstrip_sample_start(void)
{
	WRITE_ONCE(padstrip_sampling, true);
	queue_delayed_work(system_power_efficient_wq, &padstrip_sample_work, 0);
}

void padstrip_sample_stop(void)
{
	/* Who writes the parameter meanwhile is through, or sees it. */
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(padstrip_sampling, false);
	kernel_param_unlock(THIS_MODULE);
	cancel_delayed_work_sync(&padstrip_sample_work);
	ng_probe_detach(&padstrip_probe);
	flush_work(&padstrip_sightings_work);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this guard know of each other. */
#ifndef NETGUARD_PADSTRIP_H
#define NETGUARD_PADSTRIP_H

#include "counters.h"
#include "padding.h"

#include <netguard/core.h>

enum padstrip_counter {
#define PADSTRIP_ID(name, help) PADSTRIP_##name,
	PADSTRIP_COUNTERS(PADSTRIP_ID)
#undef PADSTRIP_ID
};

/* Values of the parameter mode. */
enum padstrip_mode {
	PADSTRIP_STRIP,
	PADSTRIP_DETECT,
	PADSTRIP_ZERO,
};

extern struct ng_choice padstrip_mode;
extern struct ng_choice padstrip_tx_zero_pad;
extern const struct kernel_param_ops padstrip_devices_ops;

extern struct ng_guard padstrip_guard;

/* frame.c: the packet path. */
unsigned int padstrip_ingress(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int padstrip_egress(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state);

/* devices.c: which devices have hooks. */
int padstrip_devices_start(void);
void padstrip_devices_stop(void);
void padstrip_devices_sync(void);
/* Hooks for those that need one now; nothing tells of a tc filter. */
void padstrip_devices_poll(void);
/* Under RCU: is it looked at all the time? */
bool padstrip_has_hook(const struct net_device *dev);
bool padstrip_is_nic(const struct net_device *dev);

/* senders.c: who pads with what. A device's rows go when it does. */
extern struct ng_table padstrip_senders;

void padstrip_senders_rename(const struct net_device *dev);
void padstrip_senders_forget(const struct net_device *dev);

/*
 * Softirq or process. @dev received from @mac, @len is that of the frame as it
 * came, header and tags included.
 */
void padstrip_sender_seen(const struct net_device *dev, const u8 *mac,
			  unsigned int len,
			  const struct padstrip_padding *padding);

/* sample.c: the real NICs without a hook, a second a minute. */
extern struct ng_choice padstrip_sample;

void padstrip_sample_start(void);
void padstrip_sample_stop(void);
void padstrip_sample_changed(void);

#endif

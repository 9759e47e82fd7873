// SPDX-License-Identifier: GPL-2.0
/*
 * Who pads with something else than zeros: a device (of this host, that
 * received the frame) and a source MAC.
 */

#include "padstrip.h"

#include <linux/etherdevice.h>

/* No holes: it is hashed and compared as a whole. */
struct padstrip_sender_key {
	u32 netns;
	int ifindex;
	u8 mac[ETH_ALEN];
	u16 zero;
};

/**
 * struct padstrip_sender - one row
 * @entry: the table's
 * @key: who
 * @dev: name of the device that receives its frames
 * @frames: with non-zero padding
 * @len: of the last such frame
 * @sample_len: length of @sample
 * @sample: the padding of that frame
 */
struct padstrip_sender {
	struct ng_entry entry;
	struct padstrip_sender_key key;
	char dev[IFNAMSIZ];
	u64 frames;
	unsigned int len;
	unsigned int sample_len;
	u8 sample[PADSTRIP_PADDING_MAX];
};

static void padstrip_sender_row(struct seq_buf *row, const void *entry)
{
	const struct padstrip_sender *sender = entry;

	ng_row_printf(row, "netns=%u", sender->key.netns);
	ng_row_str(row, "dev", sender->dev);
	ng_row_printf(row, "ifindex=%d", sender->key.ifindex);
	ng_row_printf(row, "mac=%pM", sender->key.mac);
	ng_row_printf(row, "frames=%llu", sender->frames);
	ng_row_printf(row, "last_len=%u", sender->len);
	ng_row_printf(row, "sample=%*phN", sender->sample_len, sender->sample);
	ng_row_printf(row, "age_ms=%llu", ng_entry_age_ms(&sender->entry));
}

struct ng_table padstrip_senders =
	NG_TABLE_INIT(&padstrip_guard, PADSTRIP_senders_evicted,
		      PADSTRIP_senders_missed, padstrip_sender_row,
		      struct padstrip_sender, struct padstrip_sender_key);

static void padstrip_sender_announce(const struct net_device *dev,
				     const struct padstrip_sender *sender)
{
	struct ng_finding *finding;
	char cause[192];
	char fix[160];

	finding = ng_finding_begin(&padstrip_guard, dev_net(dev), NG_WARNING);
	if (!finding)
		return;

	snprintf(cause, sizeof(cause),
		 "the NIC of %pM pads short frames with garbage instead of zeros; who sums such a frame to its end computes a wrong TCP checksum",
		 sender->key.mac);
	snprintf(fix, sizeof(fix),
		 "update or replace the NIC firmware of %pM; until then, on that host: modprobe netguard_padstrip tx_zero_pad=1",
		 sender->key.mac);
	padstrip_sender_row(ng_finding_row(finding), sender);
	ng_finding_end(finding, cause, fix);
}

void padstrip_sender_seen(const struct net_device *dev, const u8 *mac,
			  unsigned int len,
			  const struct padstrip_padding *padding)
{
	struct padstrip_sender_key key = {
		.netns = dev_net(dev)->ns.inum,
		.ifindex = dev->ifindex,
	};
	struct padstrip_sender *sender, copy;
	struct ng_entry *entry;
	bool fresh;

	ether_addr_copy(key.mac, mac);
	entry = ng_table_try_add(&padstrip_senders, &key, &fresh);
	if (!entry)
		return;

	sender = container_of(entry, struct padstrip_sender, entry);
	strscpy(sender->dev, dev->name, sizeof(sender->dev));
	sender->frames++;
	sender->len = len;
	sender->sample_len = padding->len;
	memcpy(sender->sample, padding->bytes, padding->len);
	copy = *sender;
	ng_table_put(&padstrip_senders, entry);

	if (fresh)
		padstrip_sender_announce(dev, &copy);
}

static bool padstrip_sender_rename(struct ng_entry *entry, const void *arg)
{
	struct padstrip_sender *sender =
		container_of(entry, struct padstrip_sender, entry);
	const struct net_device *dev = arg;

	if (sender->key.ifindex == dev->ifindex)
		strscpy(sender->dev, dev->name, sizeof(sender->dev));
	return true;
}

static bool padstrip_sender_stays(struct ng_entry *entry, const void *arg)
{
	const struct padstrip_sender *sender =
		container_of(entry, struct padstrip_sender, entry);
	const struct net_device *dev = arg;

	return sender->key.ifindex != dev->ifindex;
}

void padstrip_senders_rename(const struct net_device *dev)
{
	ng_table_sweep(&padstrip_senders, dev_net(dev)->ns.inum,
		       padstrip_sender_rename, dev);
}

void padstrip_senders_forget(const struct net_device *dev)
{
	ng_table_sweep(&padstrip_senders, dev_net(dev)->ns.inum,
		       padstrip_sender_stays, dev);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Who pads with something else than zeros: a table of fixed size, made at load.
 *
 * A sender is a device (of this host, that received the frame) and a source
 * MAC. It hashes to one of PADSTRIP_BUCKETS, each with its own lock and room
 * for PADSTRIP_WAYS senders, of whom the one not heard of for longest leaves.
 * So nothing is allocated for a packet, and CPUs rarely meet.
 */

#include "padstrip.h"

#include <linux/etherdevice.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define PADSTRIP_BUCKETS 64
#define PADSTRIP_WAYS 16
#define PADSTRIP_SENDERS (PADSTRIP_BUCKETS * PADSTRIP_WAYS)

/* No holes: it is hashed and compared as a whole. */
struct padstrip_sender_key {
	u32 netns;
	int ifindex;
	u8 mac[ETH_ALEN];
	u16 zero;
};

/**
 * struct padstrip_sender - one row
 * @key: who
 * @dev: name of the device that receives its frames
 * @seen: jiffies of the last frame
 * @frames: with non-zero padding; 0: this place is free
 * @len: of the last such frame
 * @sample_len: length of @sample
 * @sample: the padding of that frame
 */
struct padstrip_sender {
	struct padstrip_sender_key key;
	char dev[IFNAMSIZ];
	unsigned long seen;
	u64 frames;
	unsigned int len;
	unsigned int sample_len;
	u8 sample[PADSTRIP_PADDING_MAX];
};

/**
 * struct padstrip_bucket - senders with the same hash
 * @lock: for all of @senders
 * @senders: in no order
 */
struct padstrip_bucket {
	spinlock_t lock; /* for all of @senders */
	struct padstrip_sender senders[PADSTRIP_WAYS];
};

static struct padstrip_bucket *padstrip_buckets;
static u32 padstrip_hash_seed;

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
	ng_row_printf(row, "age_ms=%u",
		      jiffies_to_msecs(jiffies - sender->seen));
}

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

/* Free places first, then those not heard of for longest. */
static bool padstrip_sender_yields(const struct padstrip_sender *sender,
				   const struct padstrip_sender *other)
{
	if (!sender->frames || !other->frames)
		return !sender->frames;

	return time_before(sender->seen, other->seen);
}

/* The sender's place, old or new, under the lock of the bucket. */
static struct padstrip_sender *
padstrip_sender_place(struct padstrip_bucket *bucket,
		      const struct padstrip_sender_key *key)
{
	struct padstrip_sender *sender, *place = bucket->senders;
	unsigned int i;

	for (i = 0; i < PADSTRIP_WAYS; i++) {
		sender = &bucket->senders[i];
		if (sender->frames &&
		    !memcmp(&sender->key, key, sizeof(*key)))
			return sender;
		if (padstrip_sender_yields(sender, place))
			place = sender;
	}

	if (place->frames)
		ng_count(&padstrip_guard, PADSTRIP_senders_evicted);
	place->frames = 0;
	place->key = *key;
	return place;
}

void padstrip_sender_seen(const struct sk_buff *skb, unsigned int len,
			  const struct padstrip_padding *padding)
{
	const struct net_device *dev = skb->dev;
	struct padstrip_sender_key key = {
		.netns = dev_net(dev)->ns.inum,
		.ifindex = dev->ifindex,
	};
	struct padstrip_sender *sender, copy;
	struct padstrip_bucket *bucket;

	ether_addr_copy(key.mac, eth_hdr(skb)->h_source);
	bucket = &padstrip_buckets[jhash(&key, sizeof(key), padstrip_hash_seed) %
				   PADSTRIP_BUCKETS];

	spin_lock_bh(&bucket->lock);
	sender = padstrip_sender_place(bucket, &key);
	strscpy(sender->dev, dev->name, sizeof(sender->dev));
	sender->seen = jiffies;
	sender->frames++;
	sender->len = len;
	sender->sample_len = padding->len;
	memcpy(sender->sample, padding->bytes, padding->len);
	copy = *sender;
	spin_unlock_bh(&bucket->lock);

	if (copy.frames == 1)
		padstrip_sender_announce(dev, &copy);
}

/* Calls @fn with every row of a device, under the lock of its bucket. */
static void padstrip_senders_walk(const struct net_device *dev,
				  void (*fn)(struct padstrip_sender *sender,
					     const struct net_device *dev))
{
	u32 netns = dev_net(dev)->ns.inum;
	struct padstrip_sender *sender;
	struct padstrip_bucket *bucket;
	unsigned int i, way;

	for (i = 0; i < PADSTRIP_BUCKETS; i++) {
		bucket = &padstrip_buckets[i];
		spin_lock_bh(&bucket->lock);
		for (way = 0; way < PADSTRIP_WAYS; way++) {
			sender = &bucket->senders[way];
			if (sender->frames && sender->key.netns == netns &&
			    sender->key.ifindex == dev->ifindex)
				fn(sender, dev);
		}
		spin_unlock_bh(&bucket->lock);
	}
}

static void padstrip_sender_rename(struct padstrip_sender *sender,
				   const struct net_device *dev)
{
	strscpy(sender->dev, dev->name, sizeof(sender->dev));
}

static void padstrip_sender_forget(struct padstrip_sender *sender,
				   const struct net_device *dev)
{
	sender->frames = 0;
}

void padstrip_senders_rename(const struct net_device *dev)
{
	padstrip_senders_walk(dev, padstrip_sender_rename);
}

void padstrip_senders_forget(const struct net_device *dev)
{
	padstrip_senders_walk(dev, padstrip_sender_forget);
}

/* v is the position plus one, which is not NULL. */
static void *padstrip_table_start(struct seq_file *m, loff_t *pos)
{
	return *pos < PADSTRIP_SENDERS ? (void *)(uintptr_t)(*pos + 1) : NULL;
}

static void *padstrip_table_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return padstrip_table_start(m, pos);
}

static void padstrip_table_stop(struct seq_file *m, void *v)
{
}

static int padstrip_table_show(struct seq_file *m, void *v)
{
	unsigned int i = (uintptr_t)v - 1;
	struct padstrip_bucket *bucket = &padstrip_buckets[i / PADSTRIP_WAYS];
	struct padstrip_sender sender;

	spin_lock_bh(&bucket->lock);
	sender = bucket->senders[i % PADSTRIP_WAYS];
	spin_unlock_bh(&bucket->lock);

	if (!sender.frames)
		return SEQ_SKIP;

	return ng_row_show(m, padstrip_sender_row, &sender);
}

const struct seq_operations padstrip_table = {
	.start = padstrip_table_start,
	.next = padstrip_table_next,
	.stop = padstrip_table_stop,
	.show = padstrip_table_show,
};

int padstrip_senders_setup(void)
{
	unsigned int i;

	padstrip_buckets = kvcalloc(PADSTRIP_BUCKETS, sizeof(*padstrip_buckets),
				    GFP_KERNEL);
	if (!padstrip_buckets)
		return -ENOMEM;

	for (i = 0; i < PADSTRIP_BUCKETS; i++)
		spin_lock_init(&padstrip_buckets[i].lock);
	get_random_bytes(&padstrip_hash_seed, sizeof(padstrip_hash_seed));
	return 0;
}

void padstrip_senders_teardown(void)
{
	kvfree(padstrip_buckets);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes that a debug kernel is there to find, one per load. For
 * tools/vm/faults only, in a guest that is thrown away.
 */

#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *fault;
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "which one");

struct faults_object {
	/* KASAN keeps notes at the beginning of what is free. */
	char pad[64];
	unsigned int value;
	spinlock_t lock; /* of nothing; to be taken once it is free */
	struct list_head list;
	struct timer_list timer;
};

static DEFINE_MUTEX(faults_one);
static DEFINE_MUTEX(faults_other);
static int __rcu *faults_pointer;
static unsigned int faults_sink;
/* Read at run time, so that the compiler does not see what comes. */
static unsigned int faults_width = 40;
module_param(faults_width, uint, 0);

static void faults_expired(struct timer_list *timer)
{
}

static struct faults_object *faults_new(void)
{
	struct faults_object *object = kzalloc(sizeof(*object), GFP_KERNEL | __GFP_NOFAIL);

	spin_lock_init(&object->lock);
	INIT_LIST_HEAD(&object->list);
	timer_setup(&object->timer, faults_expired, 0);
	return object;
}

static void faults_read(void)
{
	struct faults_object *object = faults_new();

	kfree(object);
	faults_sink += READ_ONCE(object->value);
}

static void faults_lock(void)
{
	struct faults_object *object = faults_new();

	kfree(object);
	spin_lock(&object->lock);
	spin_unlock(&object->lock);
}

static void faults_list(void)
{
	struct faults_object *object = faults_new();
	struct faults_object *next = faults_new();

	list_add(&next->list, &object->list);
	kfree(object);
	list_del(&next->list);
	kfree(next);
}

static void faults_timer(void)
{
	struct faults_object *object = faults_new();

	mod_timer(&object->timer, jiffies + 1000 * HZ);
	kfree(object);
}

static void faults_packet(void)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL | __GFP_NOFAIL);
	u8 byte;

	skb_put_zero(skb, 20);
	kfree_skb(skb);
	skb_copy_bits(skb, 0, &byte, sizeof(byte));
}

static void faults_shift(void)
{
	faults_sink += 1U << READ_ONCE(faults_width);
}

static void faults_rcu(void)
{
	if (rcu_dereference(faults_pointer))
		faults_sink++;
}

static void faults_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void faults_cpu(void)
{
	faults_sink += smp_processor_id();
}

static void faults_order(void)
{
	mutex_lock(&faults_one);
	mutex_lock(&faults_other);
	mutex_unlock(&faults_other);
	mutex_unlock(&faults_one);
	mutex_lock(&faults_other);
	mutex_lock(&faults_one);
	mutex_unlock(&faults_one);
	mutex_unlock(&faults_other);
}

/* Many, for a stack may keep the address of one. */
static void faults_leak(void)
{
	struct faults_object *lost;
	int i;

	for (i = 0; i < 16; i++) {
		lost = kmalloc(sizeof(*lost), GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(lost);
	}
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "read", faults_read },
	{ "lock", faults_lock },
	{ "list", faults_list },
	{ "timer", faults_timer },
	{ "packet", faults_packet },
	{ "shift", faults_shift },
	{ "rcu", faults_rcu },
	{ "sleep", faults_sleep },
	{ "cpu", faults_cpu },
	{ "order", faults_order },
	{ "leak", faults_leak },
};

static int __init faults_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!fault || strcmp(faults[i].name, fault))
			continue;
		faults[i].make();
		return 0;
	}
	return -EINVAL;
}

static void __exit faults_exit(void)
{
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_DESCRIPTION("netguard tests: mistakes for a debug kernel to find");
MODULE_LICENSE("GPL");

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between supported kernels lives here, so that the rest is
 * written for the newest one and dropping an old kernel only deletes lines.
 */
#ifndef NETGUARD_COMPAT_H
#define NETGUARD_COMPAT_H

#include <linux/export.h>
#include <linux/kconfig.h>
#include <linux/minmax.h>
#include <linux/netdevice.h>
#include <linux/seq_buf.h>
#include <linux/types.h>
#include <linux/version.h>
#include <net/net_namespace.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "netguard supports Linux 6.1 and later"
#endif

/* str_up_down() is in <linux/string_choices.h> since v6.9; 6.1 has neither. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <linux/string_choices.h>
#else
static inline const char *str_up_down(bool v)
{
	return v ? "up" : "down";
}
#endif

/*
 * v6.12, 5f60d5f6bbc1 ("move asm/unaligned.h to linux/unaligned.h"). May go
 * together with support for 6.1.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/*
 * v6.7, dcc4e5728eea ("seq_buf: Introduce DECLARE_SEQ_BUF and seq_buf_str()").
 * Stable releases of 6.1 have it too, the older ones not: no version tells, so
 * it has a name of its own here. May go together with support for 6.1.
 */
static inline const char *ng_seq_buf_str(struct seq_buf *s)
{
	s->buffer[min(s->len, s->size - 1)] = 0;
	return s->buffer;
}

/*
 * v6.6, e420bed02507 ("bpf: Add fd-based tcx multi-prog infra with link
 * support"): one entry for tc and tcx. May go together with support for 6.1.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#ifdef CONFIG_NET_XGRESS
#define ng_has_tc_ingress(dev) (!!rcu_access_pointer((dev)->tcx_ingress))
#else
#define ng_has_tc_ingress(dev) false
#endif
#elif defined(CONFIG_NET_CLS_ACT)
#define ng_has_tc_ingress(dev) (!!rcu_access_pointer((dev)->miniq_ingress))
#else
#define ng_has_tc_ingress(dev) false
#endif

/*
 * v6.17, ad892e912b84 ("tcp: trace retransmit failures in tcp_retransmit_skb"):
 * one argument more. May go together with support for 6.12.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define NG_TCP_RETRANSMIT_ARGS(...) __VA_ARGS__, int err
#else
#define NG_TCP_RETRANSMIT_ARGS(...) __VA_ARGS__
#endif

/*
 * v6.10, 2c92ca849fcc ("tracing/treewide: Remove second parameter of
 * __assign_str()"). May go together with support for 6.1.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ng_trace_assign_str(field, source) __assign_str(field)
#else
#define ng_trace_assign_str(field, source) __assign_str(field, source)
#endif

/*
 * v6.2, 9c988fae6f6a ("kunit: add macro to allow conditionally exposing static
 * symbols to tests") brought <kunit/visibility.h>. May go with support for 6.1.
 */
#if !IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol) \
	EXPORT_SYMBOL_NS(symbol, EXPORTED_FOR_KUNIT_TESTING)
#endif

/*
 * v6.13, cdd30ebb1b9f ("module: Convert symbol namespace to string literal").
 * May go together with support for 6.12.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define NG_IMPORT_KUNIT_SYMBOLS() MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING")
#else
#define NG_IMPORT_KUNIT_SYMBOLS() MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING)
#endif

/*
 * v6.6, e420bed02507 ("bpf: Add fd-based tcx multi-prog infra with link
 * support") put BPF programs and clsact into one list. The other branch may go
 * together with support for 6.1.
 */
static inline bool ng_dev_has_tc_egress(const struct net_device *dev)
{
#if IS_ENABLED(CONFIG_NET_XGRESS)
	return rcu_access_pointer(dev->tcx_egress);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0) && \
	IS_ENABLED(CONFIG_NET_CLS_ACT)
	return rcu_access_pointer(dev->miniq_egress);
#else
	return false;
#endif
}

/* v6.6 moved struct netdev_rx_queue to a header of its own. May go with 6.1. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include <net/netdev_rx_queue.h>
#endif

/* Does what a device with one queue receives change the CPU on its way? */
static inline bool ng_dev_has_rps(const struct net_device *dev)
{
#ifdef CONFIG_RPS
	return rcu_access_pointer(dev->_rx->rps_map) ||
	       rcu_access_pointer(dev->_rx->rps_flow_table);
#else
	return false;
#endif
}

/* Hooks of the family bridge exist where something selected them. */
static inline const struct nf_hook_entries *
ng_bridge_hooks(const struct net *net, unsigned int hooknum)
{
#ifdef CONFIG_NETFILTER_FAMILY_BRIDGE
	return rcu_dereference(net->nf.hooks_bridge[hooknum]);
#else
	return NULL;
#endif
}

#endif

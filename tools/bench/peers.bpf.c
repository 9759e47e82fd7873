// SPDX-License-Identifier: GPL-2.0
/* The nearest that tc and BPF come to padstrip and to vlansteal. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static void count(void)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&seen, &key);

	if (value)
		(*value)++;
}

/* Counts IPv4 packets that end before their frame does. */
SEC("tc/padding")
int count_padding(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;

	if (skb->protocol != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end)
		return TC_ACT_OK;
	if (ip->version == 4 &&
	    ETH_HLEN + bpf_ntohs(ip->tot_len) < skb->len)
		count();
	return TC_ACT_OK;
}

/* Counts frames of VLAN 1000, which have no business on this device. */
SEC("tc/slave")
int count_slave(struct __sk_buff *skb)
{
	if (skb->vlan_present && (skb->vlan_tci & 0xfff) == 1000)
		count();
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0
/* How a path looks in debugfs and in the log. */

#include "pathmtu.h"

#include <net/ip6_fib.h>
#include <net/route.h>

static const char *const pathmtu_kind_names[] = {
	[PATHMTU_SELF] = "self",
	[PATHMTU_ROUTER] = "router",
	[PATHMTU_HOLE] = "blackhole",
};

/* Remembers where the packet goes next, for the command that helps. */
void pathmtu_note_route(struct pathmtu_path *path, const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	strscpy(path->dev, dst->dev->name, sizeof(path->dev));
	path->gateway_family = 0;
	if (path->key.family == NFPROTO_IPV4) {
		const struct rtable *rt =
			container_of(dst, struct rtable, dst);

		path->gateway_family = rt->rt_gw_family;
		memcpy(&path->gateway, &rt->rt_gw6, sizeof(path->gateway));
	} else {
		const struct rt6_info *rt =
			container_of(dst, struct rt6_info, dst);

		if (rt->rt6i_flags & RTF_GATEWAY) {
			path->gateway_family = AF_INET6;
			path->gateway.in6 = rt->rt6i_gateway;
		}
	}
}

static void pathmtu_route(struct seq_buf *text, const struct pathmtu_path *path)
{
	char word[NG_WORD_MAX];

	if (path->key.family == NFPROTO_IPV4)
		seq_buf_printf(text, "ip route replace %pI4",
			       &path->key.dst.ip);
	else
		seq_buf_printf(text, "ip -6 route replace %pI6c",
			       &path->key.dst.in6);

	if (path->gateway_family == AF_INET)
		seq_buf_printf(text, " via %pI4", &path->gateway.ip);
	else if (path->gateway_family == AF_INET6)
		seq_buf_printf(text, "%s via %pI6c",
			       path->key.family == NFPROTO_IPV4 ? " inet6" : "",
			       &path->gateway.in6);
	seq_buf_printf(text, " dev %s", ng_shell_word(word, path->dev));
}

/* @enter: what a command begins with. A row says beside it which netns it is. */
static void pathmtu_fix(char *fix, size_t len, const char *enter,
			const struct pathmtu_path *path)
{
	unsigned int headers = path->key.family == NFPROTO_IPV4 ? 40 : 60;
	unsigned int mtu = max_t(unsigned int, path->size_ok, PATHMTU_SMALL);
	char word[NG_WORD_MAX];
	struct seq_buf text;

	seq_buf_init(&text, fix, len);
	switch (path->key.kind) {
	case PATHMTU_SELF:
		if (path->dev[0])
			seq_buf_printf(&text,
				       "%sip link set dev %s gso_max_segs 1; find what loses gso_size",
				       enter,
				       ng_shell_word(word, path->dev));
		else
			seq_buf_printf(&text, "find what copies packets without gso_size");
		break;
	case PATHMTU_ROUTER:
		seq_buf_printf(&text, "none needed, path MTU discovery works");
		break;
	case PATHMTU_HOLE:
		seq_buf_printf(&text, "%ssysctl -w net.ipv4.tcp_mtu_probing=1, or: %s",
			       enter, enter);
		pathmtu_route(&text, path);
		seq_buf_printf(&text, " mtu lock %u advmss %u", mtu,
			       mtu - headers);
		break;
	}
	/* Both callers take it as a string. */
	fix[min(text.len, len - 1)] = '\0';
}

static void pathmtu_row_short(struct seq_buf *row,
			      const struct pathmtu_path *path)
{
	ng_row_printf(row, "netns=%u", path->key.netns);
	ng_row_addr(row, "dst", path->key.family, &path->key.dst);
	ng_row_printf(row, "size_ok=%u", path->size_ok);
	ng_row_printf(row, "size_lost=%u", path->size_lost);
	ng_row_printf(row, "pmtu=%u", path->pmtu);
	ng_row_addr(row, "reported_by", path->reported ? path->key.family : 0,
		    &path->reporter);
	ng_row_str(row, "kind", pathmtu_kind_names[path->key.kind]);
	ng_row_printf(row, "packets=%llu", path->packets);
	ng_row_printf(row, "age_ms=%llu", ng_entry_age_ms(&path->entry));
}

static void pathmtu_row(struct seq_buf *row, const void *entry)
{
	char fix[256];

	pathmtu_row_short(row, entry);
	pathmtu_fix(fix, sizeof(fix), "", entry);
	ng_row_str(row, "fix", fix);
}

struct ng_table pathmtu_paths =
	NG_TABLE_INIT(&pathmtu_guard, PATHMTU_paths_evicted,
		      PATHMTU_paths_missed, pathmtu_row, struct pathmtu_path,
		      struct pathmtu_key);

/* The row of a path, locked for ng_table_put(), or NULL. */
struct pathmtu_path *pathmtu_path_add(const struct pathmtu_key *key,
				      bool *fresh)
{
	struct ng_entry *entry = ng_table_try_add(&pathmtu_paths, key, fresh);

	return entry ? container_of(entry, struct pathmtu_path, entry) : NULL;
}

void pathmtu_announce(const struct pathmtu_path *path, struct net *net)
{
	struct ng_finding *finding;
	char enter[NG_ENTER_MAX];
	char cause[256];
	char fix[448];

	finding = ng_finding_begin(&pathmtu_guard, net, NG_WARNING);
	if (!finding)
		return;

	if (path->key.kind == PATHMTU_SELF)
		snprintf(cause, sizeof(cause),
			 "a packet of %u bytes without GSO size is to leave by %s with MTU %u: something in this host dropped its segmentation data, so the host bounces its own packets",
			 path->size_lost, path->dev, path->pmtu);
	else
		snprintf(cause, sizeof(cause),
			 "path MTU black hole: packets of %u bytes vanish and nobody says so, while those of %u pass",
			 path->size_lost, path->size_ok);

	pathmtu_row_short(ng_finding_row(finding), path);
	pathmtu_fix(fix, sizeof(fix), ng_shell_enter(enter, net), path);
	ng_finding_end(finding, cause, fix);
}

// SPDX-License-Identifier: GPL-2.0
/* How a redirected flow looks in debugfs and in the log. */

#include "redirect.h"

#include <linux/string_helpers.h>

/* An address, in either family's longest form. */
#define REDIRECT_ADDR_LEN sizeof("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

static void redirect_row(struct seq_buf *row, const void *entry)
{
	const struct redirect_flow *flow = entry;
	const struct redirect_key *key = &flow->key;

	ng_row_printf(row, "netns=%u", key->netns);
	ng_row_str(row, "dev", flow->dev);
	ng_row_printf(row, "ifindex=%d", key->ifindex);
	ng_row_addr(row, "router", key->family, &key->router);
	ng_row_addr(row, "src", key->family, &key->src);
	ng_row_addr(row, "dst", key->family, &key->dst);
	ng_row_addr(row, "gateway", key->family, &flow->gateway);
	ng_row_str(row, "direction",
		   key->direction == REDIRECT_SENT ? "sent" : "received");
	ng_row_printf(row, "redirects=%llu", flow->redirects);
	ng_row_printf(row, "rate=%u", max(flow->pace.peak, flow->pace.count));
	ng_row_str(row, "storm", str_yes_no(flow->stormed));
	ng_row_printf(row, "age_ms=%llu", ng_entry_age_ms(&flow->entry));
}

struct ng_table redirect_flows =
	NG_TABLE_INIT(&redirect_guard, REDIRECT_routers_evicted,
		      REDIRECT_routers_missed, redirect_row,
		      struct redirect_flow, struct redirect_key);

static void redirect_addr(char *text, const struct redirect_key *key,
			  const union nf_inet_addr *addr)
{
	snprintf(text, REDIRECT_ADDR_LEN,
		 key->family == AF_INET ? "%pI4" : "%pI6c", addr);
}

void redirect_announce(const struct redirect_flow *flow, struct net *net,
		       enum redirect_weather weather)
{
	bool storm = weather == REDIRECT_STORM_BEGINS;
	const struct redirect_key *key = &flow->key;
	char router[REDIRECT_ADDR_LEN], src[REDIRECT_ADDR_LEN];
	char dst[REDIRECT_ADDR_LEN], via[REDIRECT_ADDR_LEN + 8] = "";
	const char *ip = key->family == AF_INET ? "ip" : "ip -6";
	struct ng_finding *finding;
	char enter[NG_ENTER_MAX];
	char word[NG_WORD_MAX];
	char cause[320];
	char fix[384];

	finding = ng_finding_begin(&redirect_guard, net,
				   storm ? NG_WARNING : NG_INFO);
	if (!finding)
		return;

	redirect_addr(router, key, &key->router);
	redirect_addr(src, key, &key->src);
	redirect_addr(dst, key, &key->dst);
	/* A gateway that is the destination: it is in the segment itself. */
	if (memcmp(&flow->gateway, &key->dst, sizeof(key->dst))) {
		strscpy(via, " via ", sizeof(via));
		redirect_addr(via + strlen(via), key, &flow->gateway);
	}

	if (key->direction == REDIRECT_SENT) {
		snprintf(cause, sizeof(cause),
			 "packets from %s to %s leave by %s, where they came in: this host is the wrong first hop and says so",
			 src, dst, flow->dev);
		snprintf(fix, sizeof(fix),
			 "on %s: %s route replace %s%s", src, ip, dst, via);
	} else {
		snprintf(cause, sizeof(cause),
			 "%s%s is not the best first hop to %s, and answers %s with redirects%s",
			 storm ? "storm: " : "", router, dst,
			 storm ? "nearly every packet" : "packets",
			 storm ? " from its CPU; routers drop traffic when that is busy" : "");
		snprintf(fix, sizeof(fix), "%s%s route replace %s%s dev %s",
			 ng_shell_enter(enter, net), ip, dst, via,
			 ng_shell_word(word, flow->dev));
	}

	redirect_row(ng_finding_row(finding), flow);
	ng_finding_end(finding, cause, fix);
}

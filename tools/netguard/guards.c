// SPDX-License-Identifier: GPL-2.0
/* What there is to know of each guard, and how a row becomes a sentence. */

#include "guards.h"
#include "memory.h"

#include <ctinvalid/counters.h>
#include <ctinvalid/texts.h>
#include <padstrip/counters.h>
#include <pathmtu/counters.h>
#include <redirect/counters.h>
#include <stdlib.h>
#include <string.h>
#include <tapdup/counters.h>
#include <vlansteal/counters.h>

#define COUNTERS(_list)							\
	.counters = _list, .n_counters = sizeof(_list) / sizeof(_list[0])
#define WORDS(...) .modes = (const char *const[]){ __VA_ARGS__, NULL }
#define WEIGHT(...) .weight = (const char *const[]){ __VA_ARGS__, NULL }

static const struct ng_counter vlansteal[] = {
	VLANSTEAL_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

static const struct ng_counter padstrip[] = {
	PADSTRIP_COUNTERS(NG_COUNTER_DESC)
};

static const struct ng_counter ctinvalid[] = {
	CTINVALID_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

static const struct ng_counter tapdup[] = {
	TAPDUP_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

static const struct ng_counter pathmtu[] = {
	PATHMTU_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

static const struct ng_counter redirect[] = {
	REDIRECT_COUNTERS(NG_GAUGE_DESC, NG_COUNTER_DESC)
};

#define THIEF "{thief} (ifindex {ifindex}, {state}) on {lower}, a port of {master}"
#define STEALS "VLANs on a LAG port are served before the LAG: {thief} takes the {proto} VLAN {vid} frames that arrive on {lower} and belong above {master}"

static const struct rule vlansteal_rules[] = {
	{ "verdict=conflict mode=rescue", LEVEL_FINDING, "{thief}", THIEF,
	  STEALS "; rescue mode hands them to {master} all the same: {frames_rescued} so far",
	  "ip link delete dev {thief}" },
	{ "verdict=conflict state=down", LEVEL_FINDING, "{thief}", THIEF,
	  STEALS ". It is down, so they are dropped: {frames_lost} so far",
	  "ip link delete dev {thief}" },
	{ "verdict=conflict", LEVEL_FINDING, "{thief}", THIEF,
	  STEALS ": {frames_stolen} so far. Setting it down would drop them",
	  "ip link delete dev {thief}" },
	{ "verdict=private", LEVEL_REMARK, "{thief}", THIEF,
	  "nothing above {master} uses {proto} VLAN {vid}: taken to be there on purpose", "" },
	{}
};

static const struct rule vlansteal_totals[] = {
	{ "frames_leaked>0", LEVEL_FINDING, "leak", "frames that come around the ingress hook of a LAG port",
	  "{frames_leaked} frames reached a thief in spite of rescue mode", "delete the thief; rescue mode cannot help here" },
	{}
};

#define PADDER "the NIC of {mac}, seen on {dev} (ifindex {ifindex})"
#define PADS "it pads short frames with garbage ({sample}) instead of zeros, {frames} so far; who sums such a frame to its end computes a wrong TCP checksum"

static const struct rule padstrip_rules[] = {
	{ "mode=detect", LEVEL_FINDING, "{mac}", PADDER, PADS, "netguard set padstrip.mode=strip" },
	{ "frames>0", LEVEL_FINDING, "{mac}", PADDER, PADS ". What passes through this host is mended",
	  "on the host of {mac}: modprobe netguard_padstrip tx_zero_pad=1; then update or replace its NIC firmware" },
	{}
};

static const struct rule padstrip_totals[] = {
	{ "strip_failed>0", LEVEL_FINDING, "strip_failed", "this host",
	  "{strip_failed} frames passed with bad padding because there was no memory to remove it", "free -m" },
	{}
};

#define FLOW "{proto} from {src} port {sport} to {dst} port {dport}"
#define INVALID "INVALID ({reason}), {packets} so far: {cause}"
#define UNTRANSLATED ". NAT does not translate such packets back"

#define ANSWERED ": its receiver knew no connection with that address and answered with RST, {resets} so far, which breaks the connection"

static const struct rule ctinvalid_rules[] = {
	{ "resets>0 nat!=none mode=log answered_by=peer", LEVEL_FINDING, "{src}", FLOW, INVALID UNTRANSLATED ANSWERED,
	  "netguard set ctinvalid.mode=heal" },
	{ "resets>0 nat!=none mode=log", LEVEL_FINDING, "{src}", FLOW,
	  INVALID UNTRANSLATED ": this host took them for its own and answered with RST, {resets} so far, which breaks the connection",
	  "netguard set ctinvalid.mode=heal" },
	{ "resets>0 nat!=none answered_by=peer", LEVEL_FINDING, "{src}", FLOW,
	  INVALID UNTRANSLATED ANSWERED ", before mode {mode} was set", "none needed any more; find what sends such segments" },
	{ "resets>0 nat!=none", LEVEL_FINDING, "{src}", FLOW,
	  INVALID UNTRANSLATED ": this host answered with RST, {resets} so far, before mode {mode} was set",
	  "none needed any more; find what sends such segments" },
	{ "proto=tcp nat!=none reason=seq_over mode!=log", LEVEL_REMARK, "{src}", FLOW,
	  INVALID UNTRANSLATED "; mode {mode} drops them in time", "" },
	{ "proto=tcp nat!=none reason=ack_over mode!=log", LEVEL_REMARK, "{src}", FLOW,
	  INVALID UNTRANSLATED "; mode {mode} drops them in time", "" },
	{ "reason=no_flow synproxy=yes", LEVEL_REMARK, "{src}", FLOW,
	  INVALID ". SYNPROXY in this network namespace works by such packets: never drop them all", "" },
	{ "reason=no_flow", LEVEL_REMARK, "{src}", FLOW, INVALID, "" },
	{ "reason=seq_over", LEVEL_FINDING, "{src}", FLOW, INVALID, "{remedy}" },
	{ "reason=ack_over", LEVEL_FINDING, "{src}", FLOW, INVALID, "{remedy}" },
	{ "reason=bad_checksum", LEVEL_FINDING, "{src}", FLOW, INVALID, "{remedy}" },
	{ "resets>0", LEVEL_REMARK, "{src}", FLOW, INVALID ". They were answered with RST, {resets} so far", "" },
	{ "packets>0", LEVEL_REMARK, "{src}", FLOW, INVALID, "" },
	{}
};

static const struct rule tapdup_totals[] = {
	{ "mark_taken>0 mode=mark", LEVEL_FINDING, "mark", "a rule or a socket that sets the bit of tapdup.mark in packet marks",
	  "{marked_by_others} frames were sent with it, so captures cannot tell duplicates",
	  "netguard set tapdup.mark=0x20000000" },
	{}
};

static const struct rule pathmtu_rules[] = {
	{ "kind=blackhole", LEVEL_FINDING, "{dst}", "the path to {dst}",
	  "a black hole: packets of {size_lost} bytes vanish and nobody says so, while those of {size_ok} pass; a middlebox on the way eats them",
	  "sysctl -w net.ipv4.tcp_mtu_probing=1" },
	{ "kind=self", LEVEL_FINDING, "{dst}", "this host, sending to {dst}",
	  "packets of {size_lost} bytes have lost their GSO size on a path with MTU {pmtu}: something in this host dropped their segmentation data, so the host bounces its own packets",
	  "{fix}" },
	{ "kind=router", LEVEL_REMARK, "{dst}", "{reported_by}, on the path to {dst}",
	  "said that packets of {size_lost} bytes need fragmentation, MTU {pmtu}: path MTU discovery at work", "" },
	{}
};

#define HOP "router {router} on {dev}, asked for {dst}"
#define BETTER "it is not the best first hop and answers packets with redirects, {redirects} so far"

static const struct rule redirect_rules[] = {
	{ "direction=sent storm=yes", LEVEL_FINDING, "{src}", "{src}, whose packets to {dst} this host has to send back by {dev}",
	  "this host is the wrong first hop and says so: {redirects} redirects, up to {rate} a second",
	  "on {src}: ip route replace {dst} via {gateway}" },
	{ "storm=yes gateway=@dst", LEVEL_FINDING, "{router}", HOP,
	  BETTER ", up to {rate} a second, from its CPU; routers drop traffic when that is busy",
	  "ip route replace {dst} dev {dev}" },
	{ "storm=yes", LEVEL_FINDING, "{router}", HOP,
	  BETTER ", up to {rate} a second, from its CPU; routers drop traffic when that is busy. It names {gateway}",
	  "ip route replace {dst} via {gateway} dev {dev}" },
	{ "direction=sent", LEVEL_REMARK, "{src}", "{src}, whose packets to {dst} this host has to send back by {dev}",
	  "this host says so: {redirects} redirects", "" },
	{ "direction=received", LEVEL_REMARK, "{router}", HOP, BETTER ". It names {gateway}", "" },
	{}
};

const struct guard guards[] = {
	{ "vlansteal", "VLANs that steal a LAG's traffic", COUNTERS(vlansteal), "thieves",
	  vlansteal_rules, vlansteal_totals, WORDS("detect", "rescue"),
	  WEIGHT("frames_stolen", "frames_lost", "frames_rescued") },
	{ "padstrip", "padding that is not zero", COUNTERS(padstrip), "senders",
	  padstrip_rules, padstrip_totals, WORDS("strip", "detect", "zero"), WEIGHT("frames") },
	{ "ctinvalid", "INVALID packets and the resets they provoke", COUNTERS(ctinvalid), "flows",
	  ctinvalid_rules, NULL, WORDS("log", "drop", "heal"), WEIGHT("packets") },
	{ "tapdup", "packets that captures show twice", COUNTERS(tapdup), "devices",
	  NULL, tapdup_totals, WORDS("mark", "count"), NULL },
	{ "pathmtu", "packets too long for their path", COUNTERS(pathmtu), "paths",
	  pathmtu_rules, NULL, NULL, WEIGHT("packets") },
	{ "redirect", "routers that answer with redirects", COUNTERS(redirect), "routers",
	  redirect_rules, NULL, NULL, WEIGHT("redirects") },
};

const size_t n_guards = sizeof(guards) / sizeof(guards[0]);

const struct guard *guard_find(const char *name)
{
	size_t i;

	for (i = 0; i < n_guards; i++)
		if (!strcmp(guards[i].name, name))
			return &guards[i];
	return NULL;
}

/* One condition: KEY OP VALUE, OP one of = != >. */
static bool holds(const char *condition, size_t len, const struct row *row)
{
	size_t key_len = strcspn(condition, "=!>");
	const char *value, *want;
	char key[32];
	bool equal;

	if (key_len >= sizeof(key) || key_len >= len)
		return false;
	memcpy(key, condition, key_len);
	key[key_len] = '\0';
	value = row_value(row, key);
	if (!value)
		return false;
	if (condition[key_len] == '>')
		return strtoull(value, NULL, 10) >
		       strtoull(condition + key_len + 1, NULL, 10);

	want = condition + key_len + (condition[key_len] == '!' ? 2 : 1);
	len -= want - condition;
	if (*want == '@') {
		memcpy(key, want + 1, len - 1);
		key[len - 1] = '\0';
		want = row_value(row, key);
		equal = want && !strcmp(value, want);
	} else {
		equal = strlen(value) == len && !strncmp(value, want, len);
	}
	return equal != (condition[key_len] == '!');
}

const struct rule *rule_find(const struct rule *rules, const struct row *row)
{
	const char *at;
	size_t len;

	for (; rules && rules->level; rules++) {
		for (at = rules->when; *at; at += len + !!at[len]) {
			len = strcspn(at, " ");
			if (!holds(at, len, row))
				break;
		}
		if (!*at)
			return rules;
	}
	return NULL;
}

static const char *reason_text(const char *reason, bool remedy)
{
#define REASON(_id, _name, _cause, _fix) { #_name, _cause, _fix },
	static const struct {
		const char *name, *cause, *fix;
	} texts[] = { CTINVALID_TEXTS(REASON) };
	size_t i;

	for (i = 0; reason && i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i].name, reason))
			return remedy ? texts[i].fix : texts[i].cause;
	return "";
}

/* What stands for a key, to be freed. */
static char *filling(const char *key, const struct row *row, bool quoted)
{
	const char *value = row_value(row, key);

	if (!strcmp(key, "cause") || !strcmp(key, "remedy"))
		return need(strdup(reason_text(row_value(row, "reason"),
					       *key == 'r')));
	/* A command of the guard's own, up to what it says in words. */
	if (!strcmp(key, "fix"))
		return value ? need(strndup(value, strcspn(value, ";"))) :
			       need(strdup(""));
	if (!value)
		return need(strdup("?"));
	return quoted ? value_quoted(value) : value_text(value);
}

char *rule_expand(const char *text, const struct row *row, bool quoted)
{
	char *result, *part;
	char key[32];
	size_t size;
	FILE *to;
	size_t len;

	to = need(open_memstream(&result, &size));
	while (*text) {
		len = strcspn(text, "{");
		fwrite(text, 1, len, to);
		text += len;
		if (!*text)
			break;
		len = strcspn(++text, "}");
		snprintf(key, sizeof(key), "%.*s", (int)len, text);
		part = filling(key, row, quoted);
		fputs(part, to);
		free(part);
		text += len + 1;
	}
	if (fclose(to))
		need(NULL);
	return result;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The command netguard audit: what can be said of a host without the modules, from
 * rtnetlink, sysctls and conntrack's statistics of every network namespace.
 */

#include "finding.h"
#include "links.h"
#include "memory.h"
#include "modules.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* Devices cannot be stacked deeper: MAX_NEST_DEV. */
#define DEPTH 8

static const char usage[] =
	"usage: netguard audit [-j [-p]]\n"
	"\n"
	"Needs no module. As root it looks into every network namespace that it can find.\n"
	"exit status: 0 nothing found, 1 findings, 2 error, or nothing found where not everything could be looked at\n";

#define THIEF "{thief} ({state}) on {lower}, a port of {master}"

static const struct rule thief_rules[] = {
	{ "verdict=conflict state=down", LEVEL_FINDING, "{thief}", THIEF,
	  "VLANs on a LAG port are served before the LAG: the {proto} VLAN {vid} frames that arrive on {lower} and belong above {master} are dropped, because {thief} is down",
	  "ip link delete dev {thief}" },
	{ "verdict=conflict", LEVEL_FINDING, "{thief}", THIEF,
	  "VLANs on a LAG port are served before the LAG: {thief} takes the {proto} VLAN {vid} frames that arrive on {lower} and belong above {master}",
	  "ip link delete dev {thief}" },
	{ "verdict=private", LEVEL_REMARK, "{thief}", THIEF,
	  "a VLAN on a LAG port; nothing above {master} uses {proto} VLAN {vid}: taken to be there on purpose", "" },
	{}
};

static const struct rule setting_rules[] = {
	{ "setting=liberal", LEVEL_REMARK, "liberal", "net.netfilter.nf_conntrack_tcp_be_liberal={value}",
	  "set on purpose by somebody, kube-proxy can: conntrack checks the window of no connection here, and calls no segment INVALID for it", "" },
	{ "setting=loose", LEVEL_REMARK, "loose", "net.netfilter.nf_conntrack_tcp_loose={value}",
	  "the kernel's default: connections that were not seen to begin are picked up, without knowing their window scale", "" },
	{ "setting=checksum", LEVEL_REMARK, "checksum", "net.netfilter.nf_conntrack_checksum={value}",
	  "packets with a wrong checksum are taken for valid ones", "" },
	{ "setting=invalid", LEVEL_REMARK, "invalid", "{value} packets that conntrack called INVALID",
	  "conntrack passes them on without a connection and without NAT; netguard_ctinvalid says which and why", "" },
	{ "setting=accept_redirects", LEVEL_REMARK, "accept_redirects", "net.{family}.conf.*.accept_redirects={value} for {devs}",
	  "whoever can send ICMP redirects there can divert this host's traffic", "" },
	{ "setting=redirects", LEVEL_REMARK, "redirects", "{value} ICMP redirects came in",
	  "a router says that it is not the best first hop; netguard_redirect says which, and names the better one", "" },
	{}
};

struct net {
	const struct namespace *namespace;
	int fd;
	bool entered;
	struct links links;
	/* Of each other namespace, by its number in @nets; read when it is needed. */
	int *nsids;
};

struct audit {
	struct namespaces namespaces;
	struct net *nets;
	struct finding *findings;
	size_t n, n_findings;
	size_t refused;
};

static void add(struct audit *audit, const struct rule *rules, char *line)
{
	const struct rule *rule;
	struct finding *finding;
	struct row row;

	rule = row_parse(line, &row) ? rule_find(rules, &row) : NULL;
	if (!rule) {
		free(line);
		return;
	}
	audit->findings = need(realloc(audit->findings, (audit->n + 1) * sizeof(*finding)));
	finding = &audit->findings[audit->n++];
	finding_make(finding, rule, &row, line, &audit->namespaces);
	audit->n_findings += rule->level == LEVEL_FINDING;
}

/* --- thieves --- */

static struct net *lower_net(const struct audit *audit, struct net *net, const struct link *link)
{
	size_t i, n = audit->namespaces.n;

	if (link->lower_nsid < 0)
		return net;
	for (i = 0; net->nsids && i < n; i++)
		if (net->nsids[i] == link->lower_nsid)
			return &audit->nets[i];
	return NULL;
}

/* As in vlansteal_judge() of the module. */
static bool has_owner(const struct audit *audit, struct net *net, const struct link *link,
		      const struct link *thief, int depth)
{
	const struct link *master = link_find(&net->links, link->master), *upper;
	size_t i, k;

	if (!depth)
		return false;
	if (master && (!strcmp(master->kind, "bridge") || !strcmp(master->kind, "openvswitch")))
		return true;
	if (master && has_owner(audit, net, master, thief, depth - 1))
		return true;
	for (i = 0; i < audit->namespaces.n; i++) {
		for (k = 0; k < audit->nets[i].links.n; k++) {
			upper = &audit->nets[i].links.list[k];
			if (upper->lower != link->index || upper == thief ||
			    lower_net(audit, &audit->nets[i], upper) != net)
				continue;
			if (strcmp(upper->kind, "vlan") ?
			    strcmp(upper->kind, "veth") && has_owner(audit, &audit->nets[i], upper, thief, depth - 1) :
			    upper->vid == thief->vid && upper->proto == thief->proto)
				return true;
		}
	}
	return false;
}

static void judge_link(struct audit *audit, struct net *net, const struct link *link)
{
	const struct link *lower, *master;
	struct net *below;

	if (strcmp(link->kind, "vlan"))
		return;
	below = lower_net(audit, net, link);
	lower = below ? link_find(&below->links, link->lower) : NULL;
	if (!lower || (strcmp(lower->slave_kind, "bond") && strcmp(lower->slave_kind, "team")))
		return;
	master = link_find(&below->links, lower->master);
	if (!master)
		return;
	add(audit, thief_rules,
	    format("netns=%lu thief=\"%s\" ifindex=%d state=%s lower=\"%s\" lower_ifindex=%d master=\"%s\" proto=%s vid=%u verdict=%s",
		   net->namespace->inum, link->name, link->index, link->up ? "up" : "down",
		   lower->name, lower->index, master->name,
		   link->proto == ETH_P_8021AD ? "802.1ad" : "802.1Q", link->vid,
		   has_owner(audit, below, master, link, DEPTH) ? "conflict" : "private"));
}

static void read_nsids(struct audit *audit, struct net *net)
{
	size_t i;

	for (i = 0; i < net->links.n; i++)
		if (net->links.list[i].lower_nsid >= 0)
			break;
	if (i == net->links.n)
		return;
	net->nsids = need(calloc(audit->namespaces.n, sizeof(*net->nsids)));
	for (i = 0; i < audit->namespaces.n; i++)
		net->nsids[i] = audit->nets[i].fd < 0 ? -1 : links_nsid(audit->nets[i].fd);
}

/* --- settings and totals --- */

static void judge_setting(struct audit *audit, const struct net *net, const char *setting,
			  const char *path, const char *bad)
{
	char value[32];

	if (file_read(path, value, sizeof(value)) && !strcmp(value, bad))
		add(audit, setting_rules, format("netns=%lu setting=%s value=%s",
						 net->namespace->inum, setting, value));
}

static bool is_set(const char *family, const char *dev, const char *name)
{
	char path[300], value[16];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, dev, name);
	return file_read(path, value, sizeof(value)) && !strcmp(value, "1");
}

/* IN_DEV_RX_REDIRECTS(): a router needs both, a host one of "all" and the device. */
static bool accepts_redirects(const char *family, const char *dev)
{
	bool one = is_set(family, dev, "accept_redirects");
	bool all = is_set(family, "all", "accept_redirects");

	if (!strcmp(family, "ipv6"))
		return one && !is_set(family, dev, "forwarding");
	return is_set(family, dev, "forwarding") ? one && all : one || all;
}

static void judge_redirects(struct audit *audit, const struct net *net, const char *family)
{
	const struct link *link;
	struct dirent **devs;
	char path[64], *list;
	size_t size;
	FILE *to;
	int n, i;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf", family);
	n = scandir(path, &devs, NULL, alphasort);
	to = need(open_memstream(&list, &size));
	for (i = 0; i < n; i++) {
		for (link = net->links.list; link < net->links.list + net->links.n; link++)
			if (!strcmp(link->name, devs[i]->d_name))
				break;
		/* "all" and "default" are no devices, and nobody redirects loopback. */
		if (link < net->links.list + net->links.n && link->up &&
		    strcmp(link->name, "lo") && accepts_redirects(family, devs[i]->d_name))
			fprintf(to, "%s%s", ftell(to) ? ", " : "", link->name);
		free(devs[i]);
	}
	if (n >= 0)
		free(devs);
	if (fclose(to))
		need(NULL);
	if (*list)
		add(audit, setting_rules,
		    format("netns=%lu setting=accept_redirects family=%s devs=\"%s\" value=1",
			   net->namespace->inum, family, list));
	free(list);
}

/* The value below a name in /proc/net/snmp: a line of names, then one of values. */
static uint64_t snmp_value(const char *protocol, const char *wanted)
{
	char names[2048], values[2048], *name, *value, *at_name, *at_value;
	static const char space[] = "\n ";
	FILE *file = fopen("/proc/self/net/snmp", "re");
	uint64_t found = 0;

	while (file && fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		name = strtok_r(names, space, &at_name);
		value = strtok_r(values, space, &at_value);
		if (!name || strcmp(name, protocol))
			continue;
		while (name && value) {
			if (!strcmp(name, wanted))
				found = strtoull(value, NULL, 10);
			name = strtok_r(NULL, space, &at_name);
			value = strtok_r(NULL, space, &at_value);
		}
	}
	if (file)
		fclose(file);
	return found;
}

/* /proc/net/snmp6: a name and a value in each line; not there without IPv6. */
static uint64_t snmp6_value(const char *wanted)
{
	FILE *file = fopen("/proc/self/net/snmp6", "re");
	uint64_t value, found = 0;
	char name[64];

	while (file && fscanf(file, "%63s %" SCNu64, name, &value) == 2)
		if (!strcmp(name, wanted))
			found = value;
	if (file)
		fclose(file);
	return found;
}

static void judge_total(struct audit *audit, const struct net *net, const char *setting, uint64_t total)
{
	if (total)
		add(audit, setting_rules, format("netns=%lu setting=%s value=%" PRIu64,
						 net->namespace->inum, setting, total));
}

static void judge_settings(struct audit *audit, const struct net *net)
{
	uint64_t invalid;

	judge_setting(audit, net, "liberal", "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal", "1");
	judge_setting(audit, net, "loose", "/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "1");
	judge_setting(audit, net, "checksum", "/proc/sys/net/netfilter/nf_conntrack_checksum", "0");
	/* Asking would load modules where conntrack is not in use. */
	if (!access("/proc/sys/net/netfilter/nf_conntrack_max", F_OK) && conntrack_invalid(&invalid))
		judge_total(audit, net, "invalid", invalid);
	judge_redirects(audit, net, "ipv4");
	judge_redirects(audit, net, "ipv6");
	judge_total(audit, net, "redirects", snmp_value("Icmp:", "InRedirects") + snmp6_value("Icmp6InRedirects"));
}

/* --- the command --- */

static void audit_run(struct audit *audit)
{
	size_t i, k;

	namespaces_read(&audit->namespaces);
	audit->nets = need(calloc(audit->namespaces.n, sizeof(*audit->nets)));
	for (i = 0; i < audit->namespaces.n; i++) {
		audit->nets[i].namespace = &audit->namespaces.list[i];
		audit->nets[i].fd = open(audit->namespaces.list[i].path, O_RDONLY | O_CLOEXEC);
	}
	for (i = 0; i < audit->namespaces.n; i++) {
		struct net *net = &audit->nets[i];

		/* Ours comes first: if that is all we may see, we are in it. */
		if (!net->namespace->own && (net->fd < 0 || setns(net->fd, CLONE_NEWNET))) {
			audit->refused++;
			continue;
		}
		if (!links_read(&net->links))
			err(NG_ERROR, "rtnetlink");
		read_nsids(audit, net);
		judge_settings(audit, net);
	}
	for (i = 0; i < audit->namespaces.n; i++)
		for (k = 0; k < audit->nets[i].links.n; k++)
			judge_link(audit, &audit->nets[i], &audit->nets[i].links.list[k]);
	qsort(audit->findings, audit->n, sizeof(*audit->findings), finding_compare);
}

static void audit_free(struct audit *audit)
{
	size_t i;

	for (i = 0; i < audit->namespaces.n; i++) {
		links_free(&audit->nets[i].links);
		free(audit->nets[i].nsids);
		if (audit->nets[i].fd >= 0)
			close(audit->nets[i].fd);
	}
	for (i = 0; i < audit->n; i++)
		finding_free(&audit->findings[i]);
	free(audit->findings);
	free(audit->nets);
	namespaces_free(&audit->namespaces);
}

/* Hosts have many namespaces that are alike: what is said of several is said once. */
static bool said_before(const struct audit *audit, size_t i)
{
	const struct finding *finding = &audit->findings[i];
	size_t k;

	for (k = 0; k < i; k++)
		if (audit->findings[k].level == LEVEL_REMARK && finding->level == LEVEL_REMARK &&
		    !strcmp(audit->findings[k].who, finding->who))
			return true;
	return false;
}

static void print_where(const struct audit *audit, size_t i)
{
	const struct finding *finding = &audit->findings[i];
	const struct namespace *namespace;
	char *text;
	size_t size;
	FILE *to;

	to = need(open_memstream(&text, &size));
	for (; i < audit->n; i++) {
		if (&audit->findings[i] != finding && (finding->level != LEVEL_REMARK ||
						       strcmp(audit->findings[i].who, finding->who)))
			continue;
		namespace = namespace_find(&audit->namespaces,
					   row_number(&audit->findings[i].row, "netns"));
		if (*namespace->name)
			fprintf(to, "%s%s", ftell(to) ? ", " : "", namespace->name);
		else
			fprintf(to, "%s%s%lu", ftell(to) ? ", " : "",
				namespace->own ? "this netns, " : "netns ", namespace->inum);
	}
	if (fclose(to))
		need(NULL);
	text_labelled("in", DIM, text);
	free(text);
}

static void print_text(const struct audit *audit)
{
	const struct finding *finding;
	size_t i;

	printf("%zu network namespaces, %s%zu findings%s\n", audit->namespaces.n - audit->refused,
	       colour(audit->n_findings ? RED : GREEN), audit->n_findings, colour(PLAIN));
	for (i = 0; i < audit->n; i++) {
		finding = &audit->findings[i];
		if (said_before(audit, i))
			continue;
		printf("\n%s%s%s\n", colour(BOLD),
		       finding->level == LEVEL_FINDING ? "finding" : "remark", colour(PLAIN));
		finding_print(finding);
		print_where(audit, i);
	}
}

static void print_json(const struct audit *audit, bool pretty)
{
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	json_add_text(object, "tool", NG_VERSION);
	json_object_object_add(object, "namespaces",
			       json_object_new_int64(audit->namespaces.n - audit->refused));
	json_object_object_add(object, "hidden",
			       json_object_new_int64(audit->refused + audit->namespaces.hidden));
	for (i = 0; i < audit->n; i++)
		json_object_array_add(list, finding_json(&audit->findings[i]));
	json_object_object_add(object, "findings", list);
	json_print(object, pretty);
}

int audit_command(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	bool json = false, pretty = false;
	struct audit audit = {};
	int option;

	while ((option = getopt_long(argc, argv, "jph", longs, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'p':
			pretty = true;
			break;
		default:
			return usage_print(usage, option == 'h');
		}
	}
	if (optind < argc)
		return usage_print(usage, false);
	text_start();
	audit_run(&audit);
	if (json)
		print_json(&audit, pretty);
	else
		print_text(&audit);
	option = audit.n_findings ? NG_FOUND : NG_NOTHING;
	/* What was not looked at is not known to be well. */
	if (audit.refused || audit.namespaces.hidden) {
		fprintf(stderr, "netguard: not every network namespace was looked at (%zu refused, those of %zu processes not shown)%s\n",
			audit.refused, audit.namespaces.hidden, geteuid() ? ": sudo netguard audit" : "");
		if (option == NG_NOTHING)
			option = NG_ERROR;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "netguard: cannot write: %s\n", strerror(errno));
		option = NG_ERROR;
	}
	audit_free(&audit);
	return option;
}

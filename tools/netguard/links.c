// SPDX-License-Identifier: GPL-2.0
/* rtnetlink and ctnetlink, with libmnl. */

#include "links.h"
#include "memory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

/* Sends a request and hands the answers to @cb. */
static bool ask(int bus, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	char buffer[32768];
	int status = -1, error;
	ssize_t n;

	if (!socket)
		return false;
	request->nlmsg_seq = time(NULL);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		goto out;
	do {
		n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		status = n < 0 ? -1 : mnl_cb_run(buffer, n, request->nlmsg_seq,
						 mnl_socket_get_portid(socket), cb, data);
	} while (status > 0 && request->nlmsg_flags & NLM_F_DUMP);
out:
	error = errno;
	mnl_socket_close(socket);
	errno = error;
	return status >= 0;
}

static void escape(char *to, const char *name)
{
	for (; *name; name++) {
		if (isgraph((unsigned char)*name) && *name != '"' && *name != '\\')
			*to++ = *name;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*name);
	}
	*to = '\0';
}

static void read_kind(char *kind, size_t size, const struct nlattr *attr)
{
	snprintf(kind, size, "%s", mnl_attr_get_str(attr));
}

static void read_info(struct link *link, const struct nlattr *info)
{
	const struct nlattr *attr, *data;

	mnl_attr_for_each_nested(attr, info) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_INFO_KIND:
			read_kind(link->kind, sizeof(link->kind), attr);
			break;
		case IFLA_INFO_SLAVE_KIND:
			read_kind(link->slave_kind, sizeof(link->slave_kind), attr);
			break;
		case IFLA_INFO_DATA:
			/* The kind comes first. */
			if (strcmp(link->kind, "vlan"))
				break;
			mnl_attr_for_each_nested(data, attr) {
				if (mnl_attr_get_type(data) == IFLA_VLAN_ID)
					link->vid = mnl_attr_get_u16(data);
				else if (mnl_attr_get_type(data) == IFLA_VLAN_PROTOCOL)
					link->proto = ntohs(mnl_attr_get_u16(data));
			}
			break;
		}
	}
}

static int link_cb(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct links *links = data;
	const struct nlattr *attr;
	struct link *link;

	links->list = need(realloc(links->list, (links->n + 1) * sizeof(*links->list)));
	link = &links->list[links->n++];
	*link = (struct link){
		.index = info->ifi_index,
		.up = info->ifi_flags & IFF_UP,
		.lower_nsid = -1,
	};
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			escape(link->name, mnl_attr_get_str(attr));
			break;
		case IFLA_MASTER:
			link->master = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_LINK:
			link->lower = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_LINK_NETNSID:
			link->lower_nsid = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_LINKINFO:
			read_info(link, attr);
			break;
		}
	}
	return MNL_CB_OK;
}

/* Devices that come and go in the middle of a dump spoil it (NLM_F_DUMP_INTR). */
#define DUMP_TRIES 20

bool links_read(struct links *links)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	int tries;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;

	*links = (struct links){};
	for (tries = 1; !ask(NETLINK_ROUTE, request, link_cb, links); tries++) {
		if (errno != EINTR || tries == DUMP_TRIES)
			return false;
		links->n = 0;
	}
	return true;
}

void links_free(struct links *links)
{
	free(links->list);
}

const struct link *link_find(const struct links *links, int index)
{
	size_t i;

	for (i = 0; i < links->n; i++)
		if (links->list[i].index == index)
			return &links->list[i];
	return NULL;
}

static int nsid_cb(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID)
			*(int *)data = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int links_nsid(int netns_fd)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int nsid = -1;

	request->nlmsg_type = RTM_GETNSID;
	request->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(request, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(request, NETNSA_FD, netns_fd);
	ask(NETLINK_ROUTE, request, nsid_cb, &nsid);
	return nsid;
}

/* One message for each CPU. */
static int stats_cb(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == CTA_STATS_INVALID)
			*(uint64_t *)data += ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

bool conntrack_invalid(uint64_t *invalid)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	*invalid = 0;
	request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS_CPU;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	return ask(NETLINK_NETFILTER, request, stats_cb, invalid);
}

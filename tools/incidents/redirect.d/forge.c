// SPDX-License-Identifier: GPL-2.0
/*
 * Sends ICMP or ICMPv6 messages whose every byte the caller chooses.
 *
 *   forge [-s SOURCE] [-n COUNT] [-g GAP_MS] [-v OFFSET] TO TYPE CODE INFO [BODY]
 *
 * TO and SOURCE are addresses, IPv6 ones may end in %DEVICE. INFO is the second
 * word of the ICMP header and BODY what follows it, both in hex. With -v the 16
 * bits at OFFSET of BODY count up from message to message. It stops by itself
 * after COUNT messages (default 1).
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

static struct endpoint parse_address(char *text)
{
	char *device = strchr(text, '%');
	struct endpoint at = { .len = sizeof(at.in) };

	if (device)
		*device++ = 0;
	if (inet_pton(AF_INET, text, &at.in.sin_addr) == 1) {
		at.in.sin_family = AF_INET;
		return at;
	}

	memset(&at, 0, sizeof(at));
	at.len = sizeof(at.in6);
	if (inet_pton(AF_INET6, text, &at.in6.sin6_addr) != 1)
		errx(2, "not an address: %s", text);
	at.in6.sin6_family = AF_INET6;
	if (device)
		at.in6.sin6_scope_id = if_nametoindex(device);
	return at;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

int main(int argc, char **argv)
{
	long count = 1, gap_ms = 0, vary = -1, i;
	struct endpoint to, from = { .len = 0 };
	uint8_t message[2048] = {};
	const char *body = "";
	size_t len = 8, at;
	uint32_t info;
	int option, fd, hops = 255;

	while ((option = getopt(argc, argv, "s:n:g:v:")) != -1) {
		switch (option) {
		case 's':
			from = parse_address(optarg);
			break;
		case 'n':
			count = atol(optarg);
			break;
		case 'g':
			gap_ms = atol(optarg);
			break;
		case 'v':
			vary = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc < 4)
		errx(2, "usage: forge [options] TO TYPE CODE INFO [BODY]");

	to = parse_address(argv[0]);
	message[0] = atoi(argv[1]);
	message[1] = atoi(argv[2]);
	info = htonl(strtoul(argv[3], NULL, 16));
	memcpy(message + 4, &info, sizeof(info));
	if (argc > 4)
		body = argv[4];
	for (; body[0] && body[1] && len < sizeof(message); body += 2)
		if (sscanf(body, "%2hhx", &message[len++]) != 1)
			errx(2, "not hex: %s", body);

	fd = socket(to.any.sa_family, SOCK_RAW,
		    to.any.sa_family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		err(1, "socket");
	if (to.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	if (from.len && bind(fd, &from.any, from.len))
		err(1, "bind");

	for (i = 0; i < count; i++) {
		if (vary >= 0) {
			at = 8 + vary;
			message[at] = i >> 8;
			message[at + 1] = i;
		}
		if (to.any.sa_family == AF_INET) {
			message[2] = 0;
			message[3] = 0;
			at = checksum(message, len);
			message[2] = at >> 8;
			message[3] = at;
		}
		if (sendto(fd, message, len, 0, &to.any, to.len) < 0)
			err(1, "sendto");
		if (gap_ms)
			usleep(gap_ms * 1000);
	}
	return 0;
}

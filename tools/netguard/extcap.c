// SPDX-License-Identifier: GPL-2.0
/*
 * netguard as an interface of Wireshark and tshark: they start it with the
 * arguments of extcap(4), from a link in their extcap folder.
 */

#include "capture.h"
#include "netguard.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define INTERFACE "netguard"

static int interfaces(void)
{
	puts("extcap {version=" NG_VERSION "}{display=netguard}");
	puts("interface {value=" INTERFACE "}{display=netguard: any, each packet once}");
	return NG_OK;
}

static int dlts(void)
{
	puts("dlt {number=276}{name=LINUX_SLL2}{display=Linux cooked-mode capture v2}");
	return NG_OK;
}

static int config(void)
{
	puts("arg {number=0}{call=--duplicates}{display=Copies of a packet}{type=selector}{tooltip=A packet passes several devices of a bond, VLAN or bridge}");
	puts("value {arg=0}{value=hide}{display=hide: each packet once}{default=true}");
	puts("value {arg=0}{value=show}{display=show every copy}{default=false}");
	puts("value {arg=0}{value=only}{display=show only the repeats}{default=false}");
	return NG_OK;
}

int extcap_command(int argc, char **argv)
{
	enum { INTERFACES = 1, VERSION, IFACE, DLTS, CONFIG, CAPTURE, FIFO,
	       FILTER, DUPLICATES };
	static const struct option options[] = {
		{ "extcap-interfaces", no_argument, NULL, INTERFACES },
		{ "extcap-version", optional_argument, NULL, VERSION },
		{ "extcap-interface", required_argument, NULL, IFACE },
		{ "extcap-dlts", no_argument, NULL, DLTS },
		{ "extcap-config", no_argument, NULL, CONFIG },
		{ "capture", no_argument, NULL, CAPTURE },
		{ "fifo", required_argument, NULL, FIFO },
		{ "extcap-capture-filter", required_argument, NULL, FILTER },
		{ "duplicates", required_argument, NULL, DUPLICATES },
		{ }
	};
	struct capture_options o = { .device = "any", .snaplen = 262144 };
	const char *interface = NULL;
	int wanted = 0;
	int option;

	o.expression = "";
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case INTERFACES:
		case DLTS:
		case CONFIG:
		case CAPTURE:
			wanted = option;
			break;
		case IFACE:
			interface = optarg;
			break;
		case FIFO:
			o.file = optarg;
			break;
		case FILTER:
			o.expression = optarg;
			break;
		case DUPLICATES:
			o.duplicates = !strcmp(optarg, "show") ?
				DUPLICATES_SHOW : !strcmp(optarg, "only") ?
				DUPLICATES_ONLY : DUPLICATES_HIDE;
			break;
		}
	}

	if (wanted == INTERFACES)
		return interfaces();
	if (!interface || strcmp(interface, INTERFACE)) {
		fputs("netguard: the extcap interface is " INTERFACE "\n",
		      stderr);
		return NG_USAGE;
	}
	if (wanted == DLTS)
		return dlts();
	if (wanted == CONFIG)
		return config();
	if (wanted != CAPTURE)
		return capture_check_expression(o.expression);
	if (!o.file) {
		fputs("netguard: --capture needs --fifo\n", stderr);
		return NG_USAGE;
	}
	return capture_run(&o);
}

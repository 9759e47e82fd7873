// SPDX-License-Identifier: GPL-2.0
/*
 * Decides what happens to the network of the guest: operations SEED OPERATIONS
 * CYCLES [FIRST] prints one operation a line, or the FIRST of them only.
 * Operation k depends on the seed and nothing else, so a prefix of the list is
 * what a shorter run does. Load cycles have a random sequence of their own, and
 * come in between, spread evenly.
 *
 *	NETNS: COMMAND; COMMAND...	for ip -batch, "." is the first netns
 *	param GUARD NAME [VALUE]
 *	capture NETNS SECONDS
 *	read				every file in debugfs
 *	cycle MODULE... / MODULE...	unload in this order, load in that one
 *
 * A model keeps track of what there should be, so that most operations find
 * what they work on. It need not be right: what the kernel refuses is fine.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array) ((array)[below(COUNT(array))])

enum { NOWHERE = -1, NETNS = 4 };

enum kind { VETH, VLAN, LAG, BRIDGE, MACVLAN, DUMMY, KINDS };

static const struct {
	char letter;
	int slots;
} kinds[KINDS] = {
	[VETH] = { 'p', 8 },
	[VLAN] = { 'v', 16 },
	[LAG] = { 'b', 3 },
	[BRIDGE] = { 'r', 2 },
	[MACVLAN] = { 'm', 4 },
	[DUMMY] = { 'd', 2 },
};

/**
 * struct device - what the model knows of a device
 * @name: its letter and a number that no other one had
 * @kind: what it is
 * @netns: where it is: 0 is the first netns, 1 to NETNS are t1 to t4
 * @lower: what it was made upon
 * @master: whose port it is
 * @tag: of a VLAN device: its protocol and VLAN ID
 */
struct device {
	char name[16];
	enum kind kind;
	int netns;
	struct device *lower;
	struct device *master;
	const char *tag;
};

static struct device devices[64];
static int n_devices;
static unsigned int n_names[KINDS];
static bool there[NETNS + 1] = { true };

static struct rng rng;

static unsigned int below(unsigned int n)
{
	return rng_below(&rng, n);
}

static const char *netns_name(int netns)
{
	static const char *const names[] = { ".", "t1", "t2", "t3", "t4" };

	return names[netns];
}

/* A device that is there (or not), by random, NULL if there is none. */
static struct device *any(unsigned int wanted, bool exists)
{
	struct device *fitting[COUNT(devices)];
	int i, n = 0;

	for (i = 0; i < n_devices; i++)
		if (wanted & 1u << devices[i].kind &&
		    exists != (devices[i].netns == NOWHERE))
			fitting[n++] = &devices[i];
	return n ? fitting[below(n)] : NULL;
}

/*
 * An ip that stays remembers which device had a name, so no name comes twice.
 */
static void name(struct device *device)
{
	snprintf(device->name, sizeof(device->name), "%c%u",
		 kinds[device->kind].letter, n_names[device->kind]++);
}

static void appear(struct device *device, int netns)
{
	device->netns = netns;
	name(device);
}

static void gone(struct device *device)
{
	int i;

	device->netns = NOWHERE;
	device->lower = NULL;
	device->master = NULL;
	for (i = 0; i < n_devices; i++) {
		if (devices[i].master == device)
			devices[i].master = NULL;
		if (devices[i].lower == device)
			gone(&devices[i]);
	}
}

/* Is there a device of a kind on this one, and with this tag if one is given? */
static bool has_upper(const struct device *lower, enum kind kind, const char *tag)
{
	int i;

	for (i = 0; i < n_devices; i++)
		if (devices[i].netns != NOWHERE && devices[i].lower == lower &&
		    devices[i].kind == kind &&
		    (!tag || !strcmp(devices[i].tag, tag)))
			return true;
	return false;
}

static void say(int netns, const char *format, ...)
{
	va_list args;

	printf("%s: ", netns_name(netns));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

#define ANY ((1u << KINDS) - 1)
#define MASTERS (1u << LAG | 1u << BRIDGE)

static bool add_veth(void)
{
	struct device *device = any(1u << VETH, false);

	if (!device)
		return false;
	appear(device, 0);
	say(0, "link add %s type veth peer netns far; link set %s up",
	    device->name, device->name);
	return true;
}

static bool add_vlan(void)
{
	/* Few, so that many meet on different devices of a stack. */
	static const char *const tags[] = {
		"802.1q id 10", "802.1q id 10", "802.1q id 10", "802.1q id 20",
		"802.1q id 0", "802.1q id 4094", "802.1ad id 10", "802.1ad id 20",
	};
	struct device *device = any(1u << VLAN, false);
	struct device *lower = any(ANY, true);
	const char *tag = PICK(tags);

	if (!device || !lower || has_upper(lower, VLAN, tag))
		return false;
	appear(device, lower->netns);
	device->lower = lower;
	device->tag = tag;
	say(lower->netns, "link add link %s name %s type vlan proto %s%s; link set %s %s",
	    lower->name, device->name, tag,
	    below(3) ? "" : " loose_binding on", device->name,
	    below(4) ? "up" : "down");
	return true;
}

static bool add_lag(void)
{
	static const char *const types[] = {
		"bond mode balance-rr miimon 100",
		"bond mode active-backup miimon 100",
		"bond mode balance-xor miimon 100",
		"bond mode broadcast miimon 100",
		"bond mode 802.3ad miimon 100",
		"bond mode balance-tlb miimon 100",
		"bond mode balance-alb miimon 100",
		"bond mode active-backup arp_interval 100 arp_ip_target 192.0.2.99",
		"team", "team",
	};
	struct device *device = any(1u << LAG, false);
	int netns = below(2) ? 0 : below(NETNS + 1);

	if (!device || !there[netns])
		return false;
	appear(device, netns);
	say(netns, "link add %s type %s; link set %s up", device->name,
	    PICK(types), device->name);
	return true;
}

static bool add_bridge(void)
{
	struct device *device = any(1u << BRIDGE, false);
	int netns = below(2) ? 0 : below(NETNS + 1);

	if (!device || !there[netns])
		return false;
	appear(device, netns);
	say(netns, "link add %s type bridge vlan_filtering %u; link set %s up",
	    device->name, below(2), device->name);
	return true;
}

static bool add_macvlan(void)
{
	static const char *const modes[] = { "bridge", "vepa", "private", "passthru" };
	struct device *device = any(1u << MACVLAN, false);
	struct device *lower = any(1u << VETH | 1u << VLAN | 1u << LAG, true);

	/* There is one rx_handler. */
	if (!device || !lower || lower->master)
		return false;
	appear(device, lower->netns);
	device->lower = lower;
	say(lower->netns, "link add link %s name %s type macvlan mode %s; link set %s up",
	    lower->name, device->name, PICK(modes), device->name);
	return true;
}

static bool add_dummy(void)
{
	struct device *device = any(1u << DUMMY, false);
	int netns = below(NETNS + 1);

	if (!device || !there[netns])
		return false;
	appear(device, netns);
	say(netns, "link add %s type dummy; link set %s up", device->name,
	    device->name);
	return true;
}

static bool delete_device(unsigned int wanted)
{
	struct device *device = any(wanted, true);

	if (!device)
		return false;
	say(device->netns, "link del %s", device->name);
	gone(device);
	return true;
}

static bool delete_vlan(void)
{
	return delete_device(1u << VLAN | 1u << MACVLAN);
}

static bool delete_any(void)
{
	return delete_device(ANY);
}

/*
 * Two orders of locks that may hang the kernel, says lockdep, and names the
 * kernel's own functions only:
 *
 * A bridge with a port that stands on another bridge, which has a bond:
 * br->hash_lock, the address locks down the stack, and, when
 * br_dev_change_rx_flags() tells of the bond, its stats_lock, which is taken
 * elsewhere with softirqs on.
 *
 * A LAG as port of another: __team_del_slave() waits for a bond's mii_work with
 * the team's lock held, and bond_mii_monitor() sets the address of a team.
 */
static bool hangs(const struct device *master, const struct device *port)
{
	if (port->kind == LAG)
		return master->kind == LAG;
	for (; port; port = port->lower)
		if (port->kind == BRIDGE)
			return true;
	return false;
}

static bool enslave(void)
{
	struct device *master = any(MASTERS, true);
	struct device *port = any(1u << VETH | 1u << VLAN | 1u << MACVLAN |
				  1u << LAG, true);

	if (!master || !port || master == port || master->netns != port->netns ||
	    has_upper(port, MACVLAN, NULL) || hangs(master, port))
		return false;
	port->master = master;
	say(port->netns,
	    "link set %s nomaster; link set %s down; link set %s master %s; link set %s up",
	    port->name, port->name, port->name, master->name, port->name);
	return true;
}

static bool release(void)
{
	struct device *port = any(ANY, true);

	if (!port || !port->master)
		return false;
	port->master = NULL;
	say(port->netns, "link set %s nomaster; link set %s up", port->name,
	    port->name);
	return true;
}

static bool up_or_down(void)
{
	struct device *device = any(ANY, true);

	if (!device)
		return false;
	say(device->netns, "link set %s %s", device->name,
	    below(3) ? "up" : "down");
	return true;
}

static bool rename_device(void)
{
	struct device *device = any(1u << VLAN | 1u << VETH | 1u << MACVLAN, true);
	char old[sizeof(device->name)];

	if (!device)
		return false;
	memcpy(old, device->name, sizeof(old));
	name(device);
	say(device->netns, "link set %s down; link set %s name %s; link set %s up",
	    old, old, device->name, device->name);
	return true;
}

static bool move(void)
{
	struct device *device = any(ANY & ~MASTERS, true);
	int to = below(NETNS + 1);

	if (!device || !there[to] || device->netns == to)
		return false;
	if (to)
		say(device->netns, "link set %s netns %s", device->name,
		    netns_name(to));
	else
		say(device->netns, "link set %s netns 1", device->name);
	device->netns = to;
	device->master = NULL;
	return true;
}

static bool netns(void)
{
	int which = 1 + below(NETNS);
	int i;

	if (there[which]) {
		for (i = 0; i < n_devices; i++)
			if (devices[i].netns == which)
				gone(&devices[i]);
		say(0, "netns del %s", netns_name(which));
	} else {
		say(0, "netns add %s", netns_name(which));
	}
	there[which] = !there[which];
	return true;
}

static bool address(void)
{
	struct device *device = any(ANY, true);

	if (!device)
		return false;
	say(device->netns, "addr add 192.0.2.%u/24 dev %s; addr add 2001:db8::%x/64 dev %s nodad",
	    1 + below(90), device->name, 1 + below(90), device->name);
	return true;
}

static bool property(void)
{
	static const char *const what[] = {
		"mtu 1400", "mtu 1500", "promisc on", "promisc off",
		"allmulticast on", "allmulticast off", "arp off", "arp on",
		"address 02:00:00:00:00:77", "txqueuelen 10",
	};
	struct device *device = any(ANY, true);

	if (!device)
		return false;
	say(device->netns, "link set %s %s", device->name, PICK(what));
	return true;
}

static bool parameter(void)
{
	static const char *const what[] = {
		"vlansteal mode detect", "vlansteal mode rescue",
		"vlansteal mode detect", "vlansteal mode rescue",
		"padstrip mode strip", "padstrip mode detect",
		"padstrip mode zero", "padstrip devices *",
		"padstrip devices", "padstrip devices p*,v1,b*",
		"padstrip tx_zero_pad 1", "padstrip tx_zero_pad 0",
		"ctinvalid mode log", "ctinvalid mode drop",
		"ctinvalid mode heal", "tapdup mode mark",
		"tapdup mode count", "tapdup mark 0x40000000",
		"tapdup mark 0x00000001", "tapdup mark 3",
		"vlansteal mode nonsense",
	};

	printf("param %s\n", PICK(what));
	return true;
}

static bool capture(void)
{
	int netns = below(NETNS + 1);

	if (!there[netns])
		return false;
	printf("capture %s %u\n", netns_name(netns), 1 + below(4));
	return true;
}

static bool read_all(void)
{
	puts("read");
	return true;
}

static const struct {
	bool (*print)(void);
	int weight;
} operations[] = {
	{ add_veth, 10 }, { add_vlan, 20 }, { add_lag, 8 }, { add_bridge, 4 },
	{ add_macvlan, 4 }, { add_dummy, 1 }, { delete_vlan, 12 },
	{ delete_any, 4 }, { enslave, 24 }, { release, 6 }, { up_or_down, 6 },
	{ rename_device, 5 }, { move, 6 }, { netns, 5 }, { address, 5 },
	{ property, 6 }, { parameter, 8 }, { capture, 6 }, { read_all, 2 },
};

static void operation(void)
{
	size_t i;
	int at;

	do {
		at = 0;
		for (i = 0; i < COUNT(operations); i++)
			at += operations[i].weight;
		at = below(at);
		for (i = 0; at >= operations[i].weight; i++)
			at -= operations[i].weight;
	} while (!operations[i].print());
}

static void shuffled(struct rng *from, const char *modules[], int n)
{
	const char *module;
	int i, j;

	for (i = n - 1; i > 0; i--) {
		j = rng_below(from, i + 1);
		module = modules[i];
		modules[i] = modules[j];
		modules[j] = module;
	}
	for (i = 0; i < n; i++)
		printf(" %s", modules[i]);
}

static void cycle(struct rng *from)
{
	const char *guards[] = {
		"vlansteal", "padstrip", "ctinvalid", "tapdup", "pathmtu",
		"redirect",
	};

	printf("cycle");
	shuffled(from, guards, COUNT(guards));
	printf(" /");
	shuffled(from, guards, COUNT(guards));
	putchar('\n');
}

int main(int argc, char **argv)
{
	unsigned long seed, wanted, cycles, first, i, done = 0, cycled = 0;
	struct rng cycle_rng;
	int kind, slot;

	if (argc < 4) {
		fprintf(stderr, "usage: %s SEED OPERATIONS CYCLES [FIRST]\n", argv[0]);
		return 2;
	}
	seed = strtoul(argv[1], NULL, 0);
	wanted = strtoul(argv[2], NULL, 0);
	cycles = strtoul(argv[3], NULL, 0);
	first = argc > 4 ? strtoul(argv[4], NULL, 0) : wanted + cycles;
	rng.state = seed;
	cycle_rng.state = ~seed;

	for (kind = 0; kind < KINDS; kind++)
		for (slot = 0; slot < kinds[kind].slots; slot++) {
			struct device *device = &devices[n_devices++];

			device->kind = kind;
			device->netns = NOWHERE;
		}

	for (i = 0; i < first && i < wanted + cycles; i++) {
		if (cycled < cycles && cycled * wanted <= done * cycles) {
			cycle(&cycle_rng);
			cycled++;
		} else {
			operation();
			done++;
		}
	}
	return 0;
}

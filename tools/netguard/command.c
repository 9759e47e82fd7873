// SPDX-License-Identifier: GPL-2.0
/* The command netguard capture: its arguments. */

#include "capture.h"
#include "netguard.h"
#include "text.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 262144
/* Of int, in bytes. */
#define BUFFER_MAX (INT_MAX >> 10)

static const char usage[] =
	"usage: netguard capture [options] [filter expression, see pcap-filter(7)]\n"
	"\n"
	"  -i, --interface=DEVICE  default any\n"
	"  -w, --write=FILE        pcap file, - for standard output; without it only counts\n"
	"  -c, --count=N           stop after N packets\n"
	"  -s, --snaplen=BYTES     keep so much of a packet\n"
	"  -B, --buffer=KIB        between kernel and us, default 32768\n"
	"      --duplicates=WHICH  hide: each packet once (default on any); show: every\n"
	"                          copy (default on one device); only: the rest\n";

static bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *value <= max;
}

static bool which(const char *text, enum duplicates *value)
{
	if (!strcmp(text, "hide"))
		*value = DUPLICATES_HIDE;
	else if (!strcmp(text, "show"))
		*value = DUPLICATES_SHOW;
	else if (!strcmp(text, "only"))
		*value = DUPLICATES_ONLY;
	else
		return false;
	return true;
}

/* The words of an expression, joined; NULL without memory. */
static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *text;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = calloc(1, size);
	for (i = 0; text && i < argc; i++) {
		strcat(text, argv[i]);
		if (i + 1 < argc)
			strcat(text, " ");
	}
	return text;
}

static int refuse(const char *option, const char *value, const char *allowed)
{
	fprintf(stderr, "netguard: %s '%s' refused, allowed: %s\n", option,
		value, allowed);
	return NG_USAGE;
}

int capture_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "write", required_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'c' },
		{ "snaplen", required_argument, NULL, 's' },
		{ "buffer", required_argument, NULL, 'B' },
		{ "duplicates", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct capture_options o = { .device = "any", .snaplen = SNAPLEN };
	bool which_given = false;
	unsigned long value;
	char *expression;
	int status;
	int option;

	/* + as an expression may begin with a minus further on. */
	while ((option = getopt_long(argc, argv, "+i:w:c:s:B:h", options,
				     NULL)) != -1) {
		switch (option) {
		case 'i':
			o.device = optarg;
			break;
		case 'w':
			o.file = optarg;
			break;
		case 'c':
			if (!number(optarg, ~0UL, &o.count) || !o.count)
				return refuse("count", optarg, "1 and more");
			break;
		case 's':
			if (!number(optarg, SNAPLEN, &value))
				return refuse("snaplen", optarg,
					      "0 (all) to 262144");
			o.snaplen = value ? (int)value : SNAPLEN;
			break;
		case 'B':
			if (!number(optarg, BUFFER_MAX, &value) || !value)
				return refuse("buffer", optarg,
					      "1 to 2097151 KiB");
			o.buffer = value;
			break;
		case 'd':
			if (!which(optarg, &o.duplicates))
				return refuse("duplicates", optarg,
					      "hide, show, only");
			which_given = true;
			break;
		default:
			return usage_print(usage, option == 'h');
		}
	}

	/* One device sees a packet once, whoever saw it before. */
	if (!which_given && strcmp(o.device, "any"))
		o.duplicates = DUPLICATES_SHOW;
	expression = join(argc - optind, argv + optind);
	if (!expression)
		return NG_FAILED;
	o.expression = expression;
	status = capture_run(&o);
	free(expression);
	return status;
}

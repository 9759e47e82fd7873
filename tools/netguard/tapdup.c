// SPDX-License-Identifier: GPL-2.0
/* Reads the parameters and debugfs files of the guard tapdup. */

#include "logfmt.h"
#include "opener.h"
#include "tapdup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARAMETERS "/sys/module/netguard_tapdup/parameters/"
#define DEBUGFS "/sys/kernel/debug/netguard/tapdup/"

enum { MODE, MARK, COUNTERS, DEVICES, N_FILES };

static const char *const paths[] = {
	[MODE] = PARAMETERS "mode",
	[MARK] = PARAMETERS "mark",
	[COUNTERS] = DEBUGFS "counters",
	[DEVICES] = DEBUGFS "devices",
	[N_FILES] = NULL,
};

static unsigned long netns;

bool tapdup_start(void)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		return false;
	netns = st.st_ino;
	return opener_start(paths);
}

/*
 * The text of a file, to be freed; NULL if it is not there. Does not stay
 * open: that would keep the module from being unloaded.
 */
static char *read_all(unsigned int file)
{
	size_t size = 0, room = 4096;
	char *text = malloc(room);
	int fd = opener_open(file);
	ssize_t n = -1;

	while (text && fd >= 0) {
		n = pread(fd, text + size, room - size - 1, size);
		if (n <= 0)
			break;
		size += n;
		if (room - size < 2) {
			char *more = realloc(text, room *= 2);

			if (!more)
				break;
			text = more;
		}
	}
	if (fd >= 0)
		close(fd);
	if (!text || n < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 0) : 0;
}

static void read_devices(struct tapdup_state *state, char *rows)
{
	char *line, *next;
	struct row row;

	for (line = rows; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!row_parse(line, &row) || row_number(&row, "netns") != netns)
			continue;
		if (state->n_devices < TAPDUP_DEVICES)
			state->devices[state->n_devices] =
				row_number(&row, "ifindex");
		state->n_devices++;
		state->duplicates += row_number(&row, "rx_duplicates") +
				     row_number(&row, "tx_duplicates");
	}
}

static const char *judge(struct tapdup_state *state, const char *mode,
			 const char *mark, const char *counters)
{
	if (!mode || !mark)
		return "the module netguard_tapdup is not loaded";
	if (!counters)
		return "/sys/kernel/debug/netguard cannot be read";
	if (strncmp(mode, "mark", 4))
		return "netguard_tapdup only counts (its parameter mode)";
	if (number_after(counters, "\nmark_taken "))
		return "somebody else uses the bit of its parameter mark (see the kernel log)";

	state->mark = strtoul(mark, NULL, 0);
	return state->mark ? NULL : "its parameter mark is empty";
}

void tapdup_read(struct tapdup_state *state)
{
	char *text[N_FILES];
	int i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < N_FILES; i++)
		text[i] = read_all(i);

	state->why_not = judge(state, text[MODE], text[MARK], text[COUNTERS]);
	if (text[DEVICES])
		read_devices(state, text[DEVICES]);

	for (i = 0; i < N_FILES; i++)
		free(text[i]);
}

bool tapdup_differs(const struct tapdup_state *a, const struct tapdup_state *b)
{
	return a->why_not != b->why_not || a->mark != b->mark ||
	       a->n_devices != b->n_devices ||
	       memcmp(a->devices, b->devices, sizeof(a->devices));
}

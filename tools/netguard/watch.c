// SPDX-License-Identifier: GPL-2.0
/* The command netguard watch: what the guards count, a second, live. */

#include "memory.h"
#include "state.h"
#include "text.h"

#include <curses.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: netguard watch [SECONDS]\n"
	"\n"
	"Rates of the counters, every 2 seconds or as often as told; q quits.\n";

struct rate {
	uint64_t before, now;
	bool known;
};

/* For each guard. */
static struct rate (*rates)[COUNTERS_MAX];

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* A guard that was loaded anew counts from 0 again. */
static void step(const struct state *state)
{
	size_t i, k;

	for (i = 0; i < n_guards; i++)
		for (k = 0; k < COUNTERS_MAX; k++) {
			struct rate *rate = &rates[i][k];
			bool known = k < state->guards[i].n_counters;
			uint64_t now = known ? state->guards[i].counters[k].value : 0;

			rate->before = rate->known && rate->now <= now ? rate->now : now;
			rate->now = now;
			rate->known = known;
		}
}

static void line(int *y, int attribute, const char *text)
{
	if (*y >= LINES)
		return;
	attron(attribute);
	mvaddnstr((*y)++, 0, text, COLS);
	attroff(attribute);
}

static void draw_guard(const struct guard_state *state, const struct rate *rate, double elapsed,
		       int *y)
{
	const char *mode = guard_mode(state);
	char text[512];
	size_t i;

	snprintf(text, sizeof(text), "%-10s %-8s %s", state->guard->name, mode ? mode : "-",
		 !state->module.loaded ? "not loaded"
		 : !state->readable    ? "cannot be read"
		 : state->n_findings   ? "FOUND:"
				       : "nothing found");
	line(y, A_BOLD, text);
	for (i = 0; i < state->n_findings && i < 3; i++) {
		snprintf(text, sizeof(text), "  %s", state->findings[i].who);
		line(y, COLOR_PAIR(1), text);
	}
	for (i = 0; i < state->n_counters; i++) {
		double delta = rate[i].now - rate[i].before;

		if (!rate[i].now)
			continue;
		if (state->counters[i].counter && state->counters[i].counter->gauge)
			snprintf(text, sizeof(text), "  %-24s %14" PRIu64, state->counters[i].name,
				 rate[i].now);
		else
			snprintf(text, sizeof(text), "  %-24s %14" PRIu64 " %12.1f/s",
				 state->counters[i].name, rate[i].now,
				 elapsed > 0 ? delta / elapsed : 0);
		line(y, delta ? COLOR_PAIR(2) : A_NORMAL, text);
	}
}

static void draw(const struct state *state, double elapsed, double interval)
{
	char text[256];
	size_t i;
	int y = 0;

	erase();
	snprintf(text, sizeof(text), "netguard %s   every %.1f s   q quits", state->core.running,
		 interval);
	line(&y, A_REVERSE, text);
	if (state->error) {
		snprintf(text, sizeof(text), "%s: %s", state->error, state->help);
		line(&y, COLOR_PAIR(1), text);
	}
	for (i = 0; i < n_guards; i++)
		draw_guard(&state->guards[i], rates[i], elapsed, &y);
	refresh();
}

static void watch(double interval)
{
	double last = 0, now, left, elapsed;
	struct state state;
	int key;

	for (;;) {
		now = seconds();
		state_read(&state, 0);
		step(&state);
		elapsed = last ? now - last : 0;
		last = now;
		do {
			draw(&state, elapsed, interval);
			left = last + interval - seconds();
			timeout(left > 0 ? (int)(left * 1000) : 0);
			key = getch();
			if (key == 'q' || key == 'Q') {
				state_free(&state);
				return;
			}
			/* A terminal of another size is drawn again at once. */
		} while (key != ERR || seconds() < last + interval);
		state_free(&state);
	}
}

int watch_command(int argc, char **argv)
{
	double interval = 2;
	char *end;

	if (argc == 2 && *argv[1] != '-') {
		interval = strtod(argv[1], &end);
		if (*end || !(interval >= 0.1 && interval <= 3600))
			errx(NG_ERROR, "interval '%s' refused, allowed: 0.1 to 3600 seconds",
			     argv[1]);
	} else if (argc > 1) {
		return usage_print(usage, is_help(argv[1]));
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		errx(NG_ERROR, "watch needs a terminal; netguard status does not");

	text_start();
	rates = need(calloc(n_guards, sizeof(*rates)));
	if (!initscr())
		errx(NG_ERROR, "this terminal cannot be used");
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
		init_pair(2, COLOR_GREEN, -1);
	}
	watch(interval);
	endwin();
	free(rates);
	return NG_NOTHING;
}

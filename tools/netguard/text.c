// SPDX-License-Identifier: GPL-2.0
/* On a terminal: colours, and lines broken between words. Else neither. */

#include "text.h"
#include "memory.h"

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool coloured;
/* 0: lines as long as they are. */
static int width;

void text_start(void)
{
	const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
	struct winsize size;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!isatty(STDOUT_FILENO))
		return;
	/* https://no-color.org: set, and not empty. */
	coloured = !(none && *none) && term && strcmp(term, "dumb");
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 40)
		width = size.ws_col;
}

const char *colour(enum colour colour)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m",  [BOLD] = "\033[1m",   [DIM] = "\033[2m",
		[RED] = "\033[1;31m", [GREEN] = "\033[32m", [YELLOW] = "\033[33m",
		[CYAN] = "\033[36m",
	};

	return coloured ? codes[colour] : "";
}

void text_labelled(const char *label, enum colour label_colour, const char *text)
{
	int indent = printf("  %s%-4s%s ", colour(label_colour), label, colour(PLAIN));
	int column, len;

	/* The escapes take no room. */
	indent -= (int)(strlen(colour(label_colour)) + strlen(colour(PLAIN)));
	for (column = indent; *text; text += len) {
		text += strspn(text, " ");
		len = (int)strcspn(text, " ");
		if (width && column > indent && column + 1 + len > width)
			column = printf("\n%*s", indent, "") - 1;
		else if (column > indent)
			column += printf(" ");
		column += printf("%.*s", len, text);
	}
	putchar('\n');
}

int usage_print(const char *usage, bool asked)
{
	fputs(usage, asked ? stdout : stderr);
	return asked ? NG_NOTHING : NG_ERROR;
}

bool is_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "--help");
}

char *format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return need(text);
}

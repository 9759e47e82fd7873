/* SPDX-License-Identifier: GPL-2.0 */
/* The one reader of the rows in debugfs: key=value pairs, values quoted where needed. */
#ifndef NETGUARD_LOGFMT_H
#define NETGUARD_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_PAIRS 32

struct pair {
	const char *key;
	/* With the escapes that the kernel wrote: printable ASCII in any case. */
	const char *value;
};

struct row {
	struct pair pairs[ROW_PAIRS];
	size_t n;
};

/* Splits a line, which is written to and has to live as long as the row. */
bool row_parse(char *line, struct row *row);
/* Further pairs do not fit: they are left out. */
void row_add(struct row *row, const char *key, const char *value);
/* NULL if there is no such key. */
const char *row_value(const struct row *row, const char *key);
uint64_t row_number(const struct row *row, const char *key);

/*
 * The value as it was before it was escaped if that is text, in UTF-8 and without
 * control characters, else with its escapes. To be freed.
 */
char *value_text(const char *value);
/*
 * Bytes as one word of a POSIX shell; of bash where they have control characters
 * or are no UTF-8, for these are not shown as they are. To be freed.
 */
char *word_quoted(const char *bytes);
/* The same for a value with escapes. */
char *value_quoted(const char *value);

#endif

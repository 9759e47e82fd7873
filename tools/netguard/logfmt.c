// SPDX-License-Identifier: GPL-2.0
/* Rows of key=value pairs, as modules/core/row.c writes them. */

#include "logfmt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "memory.h"

bool row_parse(char *line, struct row *row)
{
	char *at = line;

	row->n = 0;
	while (*at && row->n < ROW_PAIRS) {
		struct pair *pair = &row->pairs[row->n];
		char *equal = strchr(at, '=');

		if (!equal || equal == at)
			return false;
		*equal = '\0';
		pair->key = at;
		at = equal + 1;
		if (*at == '"') {
			pair->value = ++at;
			while (*at && *at != '"')
				at += *at == '\\' && at[1] ? 2 : 1;
			if (!*at)
				return false;
			*at++ = '\0';
			if (*at && *at != ' ')
				return false;
		} else {
			pair->value = at;
			at += strcspn(at, " ");
		}
		if (*at)
			*at++ = '\0';
		row->n++;
	}
	return row->n && !*at;
}

void row_add(struct row *row, const char *key, const char *value)
{
	if (row->n < ROW_PAIRS)
		row->pairs[row->n++] = (struct pair){ key, value };
}

const char *row_value(const struct row *row, const char *key)
{
	size_t i;

	for (i = 0; i < row->n; i++)
		if (!strcmp(row->pairs[i].key, key))
			return row->pairs[i].value;
	return NULL;
}

uint64_t row_number(const struct row *row, const char *key)
{
	const char *value = row_value(row, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

/* One character, or one escape of string_escape_mem(). Returns what it took. */
static size_t decode(const char *value, char *byte)
{
	static const char letters[] = "nrtvf\"\\ae", bytes[] = "\n\r\t\v\f\"\\\a\033";
	const char *letter;
	unsigned int code;

	*byte = *value;
	if (*value != '\\' || !value[1])
		return 1;
	if (value[1] == 'x' && isxdigit(value[2]) && isxdigit(value[3])) {
		if (sscanf(value + 2, "%2x", &code) == 1)
			*byte = (char)code;
		return 4;
	}
	letter = strchr(letters, value[1]);
	if (!letter)
		return 1;
	*byte = bytes[letter - letters];
	return 2;
}

/* The locale is set to one with UTF-8 by main(). */
static bool is_text(const char *text)
{
	mbstate_t state = {};
	wchar_t wide;
	size_t n;

	while (*text) {
		if (iscntrl((unsigned char)*text))
			return false;
		n = mbrtowc(&wide, text, strlen(text), &state);
		if (n == (size_t)-1 || n == (size_t)-2)
			return false;
		/* C1 controls, and the marks that turn text around. */
		if ((wide >= 0x80 && wide < 0xa0) ||
		    (wide >= 0x200b && wide <= 0x200f) ||
		    (wide >= 0x2028 && wide <= 0x202e) ||
		    (wide >= 0x2066 && wide <= 0x2069))
			return false;
		text += n;
	}
	return true;
}

/* As it was before it was escaped; a NUL byte cannot be in it. */
static char *value_bytes(const char *value)
{
	char *bytes = need(malloc(strlen(value) + 1));
	size_t at = 0, to = 0;

	while (value[at])
		at += decode(value + at, &bytes[to++]);
	bytes[to] = '\0';
	return bytes;
}

char *value_text(const char *value)
{
	char *text = value_bytes(value);

	if (is_text(text))
		return text;
	free(text);
	return need(strdup(value));
}

/* No shell sees anything in it. */
static bool is_plain(const char *value)
{
	bool plain = *value;

	for (; *value; value++)
		plain &= isalnum((unsigned char)*value) || strchr("_.:/@%+,-", *value);
	return plain;
}

char *word_quoted(const char *bytes)
{
	bool text = is_text(bytes);
	char *word, *to;

	if (is_plain(bytes))
		return need(strdup(bytes));

	word = need(malloc(4 * strlen(bytes) + 4));
	/* What may not be shown as it is has to be escaped, which takes a bash. */
	to = stpcpy(word, text ? "'" : "$'");
	for (; *bytes; bytes++) {
		if (text && *bytes == '\'')
			to = stpcpy(to, "'\\''");
		else if (text || (isgraph((unsigned char)*bytes) && !strchr("'\\", *bytes)))
			*to++ = *bytes;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*bytes);
	}
	stpcpy(to, "'");
	return word;
}

char *value_quoted(const char *value)
{
	char *bytes = value_bytes(value), *word = word_quoted(bytes);

	free(bytes);
	return word;
}

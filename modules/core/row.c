// SPDX-License-Identifier: GPL-2.0
/* logfmt rows: the same for a line of a table and for a line of the log. */

#include "core.h"

#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/string_helpers.h>

/* Longer values are cut: a device name has 15 bytes, a sentence some hundred. */
#define NG_VALUE_MAX 448

static bool ng_row_is_bare(const char *value)
{
	if (!*value)
		return false;

	for (; *value; value++)
		if (!isascii(*value) || !isgraph(*value) ||
		    *value == '"' || *value == '=' || *value == '\\')
			return false;

	return true;
}

static void ng_row_key_begin(struct seq_buf *row)
{
	if (row->len)
		seq_buf_printf(row, " ");
}

void ng_row_str(struct seq_buf *row, const char *key, const char *value)
{
	size_t room, used;
	char *end;

	ng_row_key_begin(row);
	if (ng_row_is_bare(value)) {
		seq_buf_printf(row, "%s=%s", key, value);
		return;
	}

	seq_buf_printf(row, "%s=\"", key);
	room = seq_buf_get_buf(row, &end);
	used = string_escape_mem(value, strnlen(value, NG_VALUE_MAX), end, room,
				 ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_HEX |
				 ESCAPE_NAP | ESCAPE_APPEND, "\"\\");
	seq_buf_commit(row, used < room ? used : -1);
	seq_buf_printf(row, "\"");
}
EXPORT_SYMBOL_GPL(ng_row_str);

void ng_row_printf(struct seq_buf *row, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	ng_row_key_begin(row);
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	seq_buf_printf(row, "%pV", &vaf);
	va_end(args);
}
EXPORT_SYMBOL_GPL(ng_row_printf);

void ng_row_addr(struct seq_buf *row, const char *key, u8 family,
		 const union nf_inet_addr *addr)
{
	switch (family) {
	case AF_INET:
		ng_row_printf(row, "%s=%pI4", key, &addr->ip);
		break;
	case AF_INET6:
		ng_row_printf(row, "%s=%pI6c", key, &addr->in6);
		break;
	default:
		ng_row_str(row, key, "none");
	}
}
EXPORT_SYMBOL_GPL(ng_row_addr);

static bool ng_shell_is_plain(const char *name)
{
	if (!*name)
		return false;

	for (; *name; name++)
		if (!isascii(*name) ||
		    (!isalnum(*name) && !strchr("_.-+:@%,", *name)))
			return false;

	return true;
}

const char *ng_shell_word(char *word, const char *name)
{
	char *end = word;

	if (ng_shell_is_plain(name))
		return strscpy(word, name, NG_WORD_MAX) < 0 ? "" : word;

	*end++ = '\'';
	for (; *name; name++) {
		/* Out of the quotes for it, and in again. */
		if (*name == '\'')
			end += sprintf(end, "'\\''");
		else
			*end++ = *name;
	}
	*end++ = '\'';
	*end = '\0';
	return word;
}
EXPORT_SYMBOL_GPL(ng_shell_word);

const char *ng_shell_enter(char *enter, const struct net *net)
{
	enter[0] = '\0';
	if (!net_eq(net, &init_net))
		snprintf(enter, NG_ENTER_MAX,
			 "nsenter --net=$(find -L /run/netns /proc/[1-9]*/ns/net -maxdepth 1 -inum %u -print -quit) ",
			 net->ns.inum);
	return enter;
}
EXPORT_SYMBOL_GPL(ng_shell_enter);

int ng_row_show(struct seq_file *m,
		void (*fill)(struct seq_buf *row, const void *entry),
		const void *entry)
{
	struct seq_buf row;
	size_t room;
	char *buf;

	room = seq_get_buf(m, &buf);
	if (!room)
		return 0;

	seq_buf_init(&row, buf, room);
	fill(&row, entry);
	seq_buf_printf(&row, "\n");
	seq_commit(m, seq_buf_has_overflowed(&row) ? -1 : (int)row.len);
	return 0;
}
EXPORT_SYMBOL_GPL(ng_row_show);

// SPDX-License-Identifier: GPL-2.0
/* The command netguard explain: what a word means, how it comes about, what to do. */

#include "guards.h"
#include "memory.h"
#include "terms.h"
#include "text.h"

#include <string.h>

static const char usage[] =
	"usage: netguard explain [GUARD | [GUARD.]COUNTER | REASON | VERDICT | MODE]\n"
	"\n"
	"Without an argument lists the words.\n";

static char *meaning(const struct term *term)
{
	const struct guard *guard = guard_find(term->guard);
	struct row row = { .pairs = { { "reason", term->name } }, .n = 1 };
	size_t i;

	if (term->means)
		return need(strdup(term->means));
	if (!strcmp(term->kind, "reason"))
		return rule_expand("an INVALID packet: {cause}", &row, false);
	for (i = 0; i < guard->n_counters; i++)
		if (!strcmp(guard->counters[i].name, term->name))
			return format("%s: %s",
				      guard->counters[i].gauge
					      ? "number of now"
					      : "counted since the module was loaded",
				      guard->counters[i].help);
	return need(strdup("?"));
}

static void print_term(const struct term *term)
{
	char *means = meaning(term);

	printf("%s%s.%s%s (%s)\n", colour(BOLD), term->guard, term->name, colour(PLAIN),
	       term->kind);
	text_labelled("is", BOLD, means);
	if (term->comes)
		text_labelled("from", BOLD, term->comes);
	text_labelled("do", GREEN, term->act);
	free(means);
}

static void list(const struct guard *guard)
{
	static const char *const kinds[] = { "counter", "reason", "verdict", "mode" };
	size_t i, k, n;

	printf("%s%s%s: %s\n", colour(BOLD), guard->name, colour(PLAIN), guard->about);
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (i = n = 0; i < n_terms; i++) {
			if (strcmp(terms[i].guard, guard->name) || strcmp(terms[i].kind, kinds[k]))
				continue;
			if (!n++)
				printf("  %s:", kinds[k]);
			printf(" %s", terms[i].name);
		}
		if (n)
			putchar('\n');
	}
}

int explain_command(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL, *dot;
	const struct guard *guard = word ? guard_find(word) : NULL;
	size_t i, len, found = 0;

	if (argc > 2 || (word && *word == '-'))
		return usage_print(usage, argc == 2 && is_help(word));
	text_start();
	for (i = 0; i < n_guards; i++)
		if (!word || guard == &guards[i])
			list(&guards[i]);
	if (!word || guard)
		return NG_NOTHING;

	dot = strchr(word, '.');
	len = dot ? dot - word : 0;
	for (i = 0; i < n_terms; i++) {
		if (strcmp(terms[i].name, dot ? dot + 1 : word) ||
		    (dot && (strlen(terms[i].guard) != len || strncmp(terms[i].guard, word, len))))
			continue;
		print_term(&terms[i]);
		found++;
	}
	if (!found)
		errx(NG_ERROR, "no word '%s'; netguard explain lists them", word);
	return NG_NOTHING;
}

// SPDX-License-Identifier: GPL-2.0
/* Makes findings of rows, for people and for programs. */

#include "finding.h"
#include "memory.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>

static char *complete_fix(const struct namespaces *namespaces, const struct rule *rule,
			  const struct row *row)
{
	char *fix = rule_expand(rule->fix, row, true), *prefix, *whole;

	if (strncmp(fix, "ip ", 3) && strncmp(fix, "sysctl ", 7))
		return fix;
	if (!row_value(row, "netns"))
		return fix;
	prefix = namespace_prefix(namespaces, row_number(row, "netns"));
	whole = format("%s%s", prefix, fix);
	free(prefix);
	free(fix);
	return whole;
}

void finding_make(struct finding *finding, const struct rule *rule, const struct row *row,
		  char *line, const struct namespaces *namespaces)
{
	*finding = (struct finding){
		.level = rule->level,
		.subject = rule_expand(rule->subject, row, false),
		.who = rule_expand(rule->who, row, false),
		.why = rule_expand(rule->why, row, false),
		.fix = complete_fix(namespaces, rule, row),
		.line = line,
		.row = *row,
	};
}

void finding_free(struct finding *finding)
{
	free(finding->subject);
	free(finding->who);
	free(finding->why);
	free(finding->fix);
	free(finding->line);
}

int finding_compare(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	if (a->level != b->level)
		return a->level > b->level ? -1 : 1;
	return (a->weight < b->weight) - (a->weight > b->weight);
}

/* "seen 3 s ago", from a row's age_ms. */
static void print_age(const struct finding *finding)
{
	uint64_t s = row_number(&finding->row, "age_ms") / 1000;
	char text[64];

	if (!row_value(&finding->row, "age_ms"))
		return;
	if (s < 120)
		snprintf(text, sizeof(text), "%" PRIu64 " s ago", s);
	else if (s < 7200)
		snprintf(text, sizeof(text), "%" PRIu64 " min ago", s / 60);
	else
		snprintf(text, sizeof(text), "%" PRIu64 " h ago", s / 3600);
	text_labelled("seen", DIM, text);
}

void finding_print(const struct finding *finding)
{
	bool bad = finding->level == LEVEL_FINDING;

	text_labelled("who", bad ? RED : DIM, finding->who);
	text_labelled("why", BOLD, finding->why);
	if (*finding->fix)
		text_labelled("fix", GREEN, finding->fix);
	print_age(finding);
}

void json_add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, *text ? json_object_new_string(text) : NULL);
}

bool is_number(const char *value)
{
	return *value && strlen(value) < 19 && value[strspn(value, "0123456789")] == '\0';
}

/* A device's name may be all digits, and so may a sample of bytes. */
static bool is_name(const char *key)
{
	static const char *const names[] = { "thief", "lower", "master", "dev", "in", "sample" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], key))
			return true;
	return false;
}

struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();
	struct json_object *row = json_object_new_object();
	const struct pair *pair;
	char *text;
	size_t i;

	json_add_text(object, "level", finding->level == LEVEL_FINDING ? "finding" : "remark");
	json_add_text(object, "who", finding->who);
	json_add_text(object, "why", finding->why);
	json_add_text(object, "fix", finding->fix);
	for (i = 0; i < finding->row.n; i++) {
		pair = &finding->row.pairs[i];
		text = value_text(pair->value);
		json_object_object_add(row, pair->key,
				       is_number(text) && !is_name(pair->key) ?
					       json_object_new_int64(strtoll(text, NULL, 10)) :
					       json_object_new_string(text));
		free(text);
	}
	json_object_object_add(object, "row", row);
	return object;
}

void json_print(struct json_object *object, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	puts(json_object_to_json_string_ext(object, flags));
	json_object_put(object);
}

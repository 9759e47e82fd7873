/* SPDX-License-Identifier: GPL-2.0 */
/* What somebody has to know: who, why, and what fixes it. */
#ifndef NETGUARD_FINDING_H
#define NETGUARD_FINDING_H

#include <json-c/json.h>

#include "guards.h"
#include "namespaces.h"

struct finding {
	enum level level;
	uint64_t weight;
	char *subject, *who, *why, *fix;
	char *line;
	struct row row;
};

/* @line: what the row points into; the finding's from now on. */
void finding_make(struct finding *finding, const struct rule *rule, const struct row *row,
		  char *line, const struct namespaces *namespaces);
void finding_free(struct finding *finding);
/* For qsort(): findings before remarks, heavy before light. */
int finding_compare(const void *left, const void *right);
void finding_print(const struct finding *finding);
struct json_object *finding_json(const struct finding *finding);

/* A string, null if it is empty. */
void json_add_text(struct json_object *to, const char *key, const char *text);
void json_print(struct json_object *object, bool pretty);
bool is_number(const char *value);

#endif

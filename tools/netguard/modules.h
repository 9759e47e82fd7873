/* SPDX-License-Identifier: GPL-2.0 */
/* The modules as they run, and as they are installed. */
#ifndef NETGUARD_MODULES_H
#define NETGUARD_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#define VERSION_LEN 64

struct module {
	char name[64];
	bool loaded;
	/* Empty where unknown. */
	char running[VERSION_LEN];
	char running_source[VERSION_LEN];
	char installed[VERSION_LEN];
	char installed_source[VERSION_LEN];
};

struct module_parameter {
	char name[32];
	char value[512];
};

#define PARAMETERS_MAX 16

/* @guard: NULL for the core. */
void module_read(struct module *module, const char *guard);
/* Another version runs than the one that modprobe would load now. */
bool module_skewed(const struct module *module);
/* How many there are, of which at most PARAMETERS_MAX are read. */
size_t module_parameters(const char *guard, struct module_parameter *parameters);
/* What modinfo says of a parameter, NULL if nothing. To be freed. */
char *module_parameter_help(const char *guard, const char *parameter);

/* A small file without its newline; false if it cannot be read. */
bool file_read(const char *path, char *text, size_t size);

#endif

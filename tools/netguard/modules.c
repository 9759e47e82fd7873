// SPDX-License-Identifier: GPL-2.0
/* Versions and parameters: /sys/module for what runs, libkmod for what is installed. */

#include "modules.h"
#include "memory.h"

#include <dirent.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool file_read(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n;
	bool ok;

	*text = '\0';
	if (!file)
		return false;
	n = fread(text, 1, size - 1, file);
	ok = !ferror(file);
	fclose(file);
	text[n] = '\0';
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return ok;
}

static void module_name(char *name, size_t size, const char *guard)
{
	snprintf(name, size, "netguard%s%s", guard ? "_" : "", guard ? guard : "");
}

/* Calls @found with each key and value of a module's modinfo until it returns true. */
static void modinfo(const char *name, bool (*found)(const char *key, const char *value, void *data),
		    void *data)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	struct kmod_list *list = NULL, *info = NULL, *at;
	struct kmod_module *module = NULL;

	if (!ctx || kmod_module_new_from_lookup(ctx, name, &list) < 0 || !list)
		goto out;
	module = kmod_module_get_module(list);
	if (!module || !kmod_module_get_path(module) || kmod_module_get_info(module, &info) < 0)
		goto out;
	kmod_list_foreach(at, info) {
		if (found(kmod_module_info_get_key(at), kmod_module_info_get_value(at), data))
			break;
	}
out:
	kmod_module_info_free_list(info);
	kmod_module_unref(module);
	kmod_module_unref_list(list);
	kmod_unref(ctx);
}

static bool version_found(const char *key, const char *value, void *data)
{
	struct module *module = data;

	if (!strcmp(key, "version"))
		snprintf(module->installed, VERSION_LEN, "%s", value);
	else if (!strcmp(key, "srcversion"))
		snprintf(module->installed_source, VERSION_LEN, "%s", value);
	return false;
}

void module_read(struct module *module, const char *guard)
{
	char path[128];

	memset(module, 0, sizeof(*module));
	module_name(module->name, sizeof(module->name), guard);
	snprintf(path, sizeof(path), "/sys/module/%s", module->name);
	module->loaded = !access(path, F_OK);
	snprintf(path, sizeof(path), "/sys/module/%s/version", module->name);
	file_read(path, module->running, VERSION_LEN);
	snprintf(path, sizeof(path), "/sys/module/%s/srcversion", module->name);
	file_read(path, module->running_source, VERSION_LEN);
	modinfo(module->name, version_found, module);
}

bool module_skewed(const struct module *module)
{
	if (!module->loaded || !*module->installed)
		return false;
	return strcmp(module->running, module->installed) ||
	       (*module->running_source && *module->installed_source &&
		strcmp(module->running_source, module->installed_source));
}

size_t module_parameters(const char *guard, struct module_parameter *parameters)
{
	char name[64], path[512];
	struct dirent **files;
	size_t n = 0;
	int count, i;

	module_name(name, sizeof(name), guard);
	snprintf(path, sizeof(path), "/sys/module/%s/parameters", name);
	count = scandir(path, &files, NULL, alphasort);
	for (i = 0; i < count; i++) {
		if (*files[i]->d_name != '.' && n < PARAMETERS_MAX) {
			snprintf(parameters[n].name, sizeof(parameters[n].name), "%.*s",
				 (int)sizeof(parameters[n].name) - 1, files[i]->d_name);
			snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", name,
				 files[i]->d_name);
			file_read(path, parameters[n].value, sizeof(parameters[n].value));
			n++;
		}
		free(files[i]);
	}
	if (count >= 0)
		free(files);
	return n;
}

struct help {
	const char *parameter;
	char *text;
};

static bool help_found(const char *key, const char *value, void *data)
{
	size_t len;
	struct help *help = data;

	len = strlen(help->parameter);
	if (strcmp(key, "parm") || strncmp(value, help->parameter, len) || value[len] != ':')
		return false;
	help->text = need(strdup(value + len + 1));
	return true;
}

char *module_parameter_help(const char *guard, const char *parameter)
{
	struct help help = { .parameter = parameter };
	char name[64];

	module_name(name, sizeof(name), guard);
	modinfo(name, help_found, &help);
	return help.text;
}

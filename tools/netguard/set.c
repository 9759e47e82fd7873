// SPDX-License-Identifier: GPL-2.0
/* The command netguard set: writes a module parameter, and tells what it was and is. */

#include "guards.h"
#include "memory.h"
#include "modules.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: netguard set GUARD.PARAMETER=VALUE...\n"
	"\n"
	"Lasts until the module is unloaded; /etc/modprobe.d/netguard.conf lasts longer.\n";

static bool parameter_get(const struct guard *guard, const char *name, char *value, size_t size)
{
	struct module_parameter parameters[PARAMETERS_MAX];
	size_t i, n = module_parameters(guard->name, parameters);

	for (i = 0; i < n; i++) {
		if (strcmp(parameters[i].name, name))
			continue;
		snprintf(value, size, "%s", parameters[i].value);
		return true;
	}
	return false;
}

static int no_parameter(const struct guard *guard, const char *name)
{
	struct module_parameter parameters[PARAMETERS_MAX];
	size_t i, n = module_parameters(guard->name, parameters);

	fprintf(stderr, "netguard: %s has no parameter '%s', it has:", guard->name, name);
	for (i = 0; i < n; i++)
		fprintf(stderr, " %s", parameters[i].name);
	fputs(n ? "\n" : " none\n", stderr);
	return NG_ERROR;
}

static int refused(const struct guard *guard, const char *name, const char *value, int error)
{
	char *help;

	if (error == EACCES || error == EPERM) {
		fprintf(stderr, "netguard: only root may set %s.%s: sudo netguard set %s.%s=%s\n",
			guard->name, name, guard->name, name, value);
		return NG_ERROR;
	}
	help = module_parameter_help(guard->name, name);
	fprintf(stderr, "netguard: %s.%s=%s refused: %s\n", guard->name, name, value,
		error == EINVAL && help ? help : strerror(error));
	free(help);
	return NG_ERROR;
}

static int parameter_set(const struct guard *guard, const char *name, const char *value)
{
	char old[512] = "", now[512] = "", path[128];
	struct module module;
	ssize_t written;
	int fd, error;

	module_read(&module, guard->name);
	if (!module.loaded) {
		fprintf(stderr, "netguard: the module %s is not loaded: modprobe %s\n", module.name,
			module.name);
		return NG_ERROR;
	}
	if (!parameter_get(guard, name, old, sizeof(old)))
		return no_parameter(guard, name);

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module.name, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return refused(guard, name, value, errno);
	/* An empty value is one too, but nothing is written by a write of nothing. */
	written = *value ? write(fd, value, strlen(value)) : write(fd, "\n", 1);
	error = errno;
	close(fd);
	if (written < 0)
		return refused(guard, name, value, error);

	parameter_get(guard, name, now, sizeof(now));
	printf("%s.%s: %s -> %s\n", guard->name, name, *old ? old : "(empty)",
	       *now ? now : "(empty)");
	return NG_NOTHING;
}

/* GUARD.PARAMETER=VALUE */
static int assign(const char *text)
{
	const char *dot = strchr(text, '.'), *equal = strchr(text, '=');
	const struct guard *guard;
	char name[64], parameter[64];

	if (!dot || !equal || dot > equal || (size_t)(dot - text) >= sizeof(name) ||
	    (size_t)(equal - dot) >= sizeof(parameter)) {
		fprintf(stderr, "netguard: '%s' is not GUARD.PARAMETER=VALUE\n", text);
		return NG_ERROR;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(dot - text), text);
	snprintf(parameter, sizeof(parameter), "%.*s", (int)(equal - dot - 1), dot + 1);
	guard = guard_find(name);
	if (!guard) {
		fprintf(stderr, "netguard: no guard '%s'; netguard explain lists them\n", name);
		return NG_ERROR;
	}
	/* It becomes part of a path. */
	if (!*parameter || strpbrk(parameter, "/."))
		return no_parameter(guard, parameter);
	return parameter_set(guard, parameter, equal + 1);
}

int set_command(int argc, char **argv)
{
	int i, status = NG_NOTHING;

	if (argc < 2 || *argv[1] == '-')
		return usage_print(usage, argc == 2 && is_help(argv[1]));
	text_start();
	for (i = 1; i < argc && status == NG_NOTHING; i++)
		status = assign(argv[i]);
	return status;
}

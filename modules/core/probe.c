// SPDX-License-Identifier: GPL-2.0
/* Probes on the kernel's tracepoints, exported to modules or not. */

#include "core.h"

#include <linux/export.h>
#include <linux/tracepoint.h>

struct ng_probe_search {
	const char *name;
	struct tracepoint *found;
};

static void ng_probe_match(struct tracepoint *tp, void *priv)
{
	struct ng_probe_search *search = priv;

	if (!strcmp(tp->name, search->name))
		search->found = tp;
}

int ng_probe_attach(struct ng_probe *probe, const char *name, void *fn,
		    void *data)
{
	struct ng_probe_search search = { .name = name };
	int err;

	for_each_kernel_tracepoint(ng_probe_match, &search);
	if (!search.found)
		return -ENOENT;

	err = tracepoint_probe_register(search.found, fn, data);
	if (err)
		return err;

	probe->tp = search.found;
	probe->fn = fn;
	probe->data = data;
	return 0;
}
EXPORT_SYMBOL_GPL(ng_probe_attach);

void ng_probe_detach(struct ng_probe *probe)
{
	if (!probe->tp)
		return;

	tracepoint_probe_unregister(probe->tp, probe->fn, probe->data);
	tracepoint_synchronize_unregister();
	probe->tp = NULL;
}
EXPORT_SYMBOL_GPL(ng_probe_detach);

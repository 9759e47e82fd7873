// SPDX-License-Identifier: GPL-2.0
/* Will taps see the frame again, and is it the mark's place to say so? */

#include "round.h"

#include <linux/bitops.h>

#include <netguard/compat.h>

enum tapdup_next tapdup_next(const struct tapdup_takers *takers)
{
	enum tapdup_taker taker = takers->vlan;

	if (taker == TAPDUP_NOBODY)
		taker = takers->lag_idle ? TAPDUP_NOBODY : takers->lag;
	if (taker == TAPDUP_NOBODY)
		taker = takers->macvlan;

	return taker == TAPDUP_WATCHED ? TAPDUP_ANOTHER : TAPDUP_LAST;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_next);

struct tapdup_verdict tapdup_judge(const struct tapdup_round *round)
{
	u32 ours = round->noted ? round->noted_bit : round->strays;
	struct tapdup_verdict verdict = {
		.found = round->mark & ours,
		.mark = round->mark & ~ours,
	};

	if (round->noted || verdict.found)
		verdict.kind = TAPDUP_DUPLICATE;
	if (round->wanted && !(verdict.mark & round->bit)) {
		verdict.set = round->bit;
		verdict.mark |= round->bit;
	}

	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_judge);

bool tapdup_is_mark(u32 mark)
{
	return hweight32(mark) == 1;
}
EXPORT_SYMBOL_IF_KUNIT(tapdup_is_mark);

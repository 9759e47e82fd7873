// SPDX-License-Identifier: GPL-2.0
/* The socket filter: a test of the mark before the compiled expression. */

#include "filter.h"

#include <string.h>

#define STMT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, jt, jf) ((struct sock_filter)BPF_JUMP(code, k, jt, jf))
#define ANCILLARY(what) STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + (what))
#define GOTO(n) STMT(BPF_JMP | BPF_JA, n)
#define REJECT STMT(BPF_RET | BPF_K, 0)

/*
 * A mark counts only on a device where the guard sets it: elsewhere the bit is
 * somebody else's.
 */
size_t filter_prefix(struct sock_filter *program, size_t length,
		     const struct tapdup_state *state,
		     enum duplicates duplicates)
{
	size_t devices = state->n_devices <= TAPDUP_DEVICES ?
		state->n_devices : 0;
	bool any_device = state->n_devices > devices;
	/* What a duplicate needs, in front of one instruction for the others. */
	size_t size = 3 + (any_device ? 1 : 1 + 2 * devices) + 1;
	struct sock_filter *at = program;
	size_t i;

	if (duplicates == DUPLICATES_SHOW)
		return length;
	if (size + length > FILTER_MAX)
		return 0;

	memmove(program + size, program, length * sizeof(*program));
#define TO_END() GOTO(program + size - at - 1)
#define TO_LAST() GOTO(program + size - 1 - at - 1)
#define DUPLICATE() (duplicates == DUPLICATES_HIDE ? REJECT : TO_END())
	*at++ = ANCILLARY(SKF_AD_MARK);
	*at++ = JUMP(BPF_JMP | BPF_JSET | BPF_K, state->mark, 1, 0);
	*at = TO_LAST();
	at++;
	if (any_device) {
		*at = DUPLICATE();
		at++;
	} else {
		*at++ = ANCILLARY(SKF_AD_IFINDEX);
		for (i = 0; i < devices; i++) {
			*at++ = JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				     state->devices[i], 0, 1);
			*at = DUPLICATE();
			at++;
		}
	}
	/* Not a duplicate. */
	*at = duplicates == DUPLICATES_HIDE ? GOTO(0) : REJECT;
	return size + length;
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETGUARD_TAPDUP_ROUND_H
#define NETGUARD_TAPDUP_ROUND_H

/* Will taps see the frame again, and is it the mark's place to say so? */

#include <linux/bitops.h>
#include <linux/types.h>

/**
 * enum tapdup_taker - who takes a frame from a device after its taps
 * @TAPDUP_NOBODY: there is no such device
 * @TAPDUP_BLIND: a device that has no hook of ours: in another netns, or new
 * @TAPDUP_WATCHED: a device of the same netns whose hook will see the frame
 */
enum tapdup_taker {
	TAPDUP_NOBODY,
	TAPDUP_BLIND,
	TAPDUP_WATCHED,
};

/**
 * struct tapdup_takers - who waits for a received frame above a device
 * @vlan: the VLAN device for the frame's tag
 * @lag: the bond or team that the device is a port of
 * @lag_idle: the port is inactive, so that the LAG leaves the frame to it
 * @macvlan: the macvlan
 */
struct tapdup_takers {
	enum tapdup_taker vlan;
	enum tapdup_taker lag;
	bool lag_idle;
	enum tapdup_taker macvlan;
};

/**
 * enum tapdup_next - what follows the round of taps that a frame just had
 * @TAPDUP_LAST: no other round that we could follow
 * @TAPDUP_ANOTHER: another round, on a device that has our hook
 */
enum tapdup_next {
	TAPDUP_LAST,
	TAPDUP_ANOTHER,
};

/**
 * tapdup_next() - does a received frame get another round of taps?
 * @takers: who waits for it above the device that had it
 *
 * In the order of __netif_receive_skb_core(): vlan_do_receive(), then the
 * rx_handler, of which there is one. A frame that goes where we do not look
 * has to go without the mark, for nobody would take it off again.
 *
 * A bridge is not asked for here: whether it passes the frame up is known only
 * at NF_BR_LOCAL_IN.
 *
 * Context: any.
 * Return: the verdict.
 */
enum tapdup_next tapdup_next(const struct tapdup_takers *takers);

/**
 * enum tapdup_risk - who could get a marked frame before taps and we do
 * @TAPDUP_NO_TAPS: the frame may miss the taps, and with them our own
 * @TAPDUP_XDP: a program of the next device runs before its taps
 * @TAPDUP_HANDLER: nobody is there any more to take it to the next device
 * @TAPDUP_HOOKS: somebody's netfilter hook comes behind ours, or before our next
 * @TAPDUP_TC: a filter of tc comes behind our hook
 * @TAPDUP_QUEUE: a queue hands it on later, or looks at it
 *
 * Facts of this moment, collected for each frame that is to be marked.
 */
enum tapdup_risk {
	TAPDUP_NO_TAPS	= BIT(0),
	TAPDUP_XDP	= BIT(1),
	TAPDUP_HANDLER	= BIT(2),
	TAPDUP_HOOKS	= BIT(3),
	TAPDUP_TC	= BIT(4),
	TAPDUP_QUEUE	= BIT(5),
};

/**
 * struct tapdup_round - what is known of one round of taps
 * @mark: skb->mark as the hook finds it
 * @bit: the bit to mark with; 0 if nothing is to be marked
 * @noted: the hook below (above, on transmit) left a note of this very frame
 * @noted_bit: what that hook set in skb->mark, 0 if the bit was there before
 * @strays: bits that can only be ours where no note came with the frame
 * @wanted: the next taps to see the frame have to find the bit
 * @risks: enum tapdup_risk: any of them, and it goes without
 */
struct tapdup_round {
	u32 mark;
	u32 bit;
	bool noted;
	u32 noted_bit;
	u32 strays;
	bool wanted;
	unsigned int risks;
};

/**
 * enum tapdup_kind - what a round of taps shows
 * @TAPDUP_ORIGINAL: the frame for the first time in this direction
 * @TAPDUP_DUPLICATE: the frame again
 */
enum tapdup_kind {
	TAPDUP_ORIGINAL,
	TAPDUP_DUPLICATE,
};

/**
 * struct tapdup_verdict - what to do with the frame
 * @kind: original or duplicate
 * @found: the bits in its mark that were ours, and are no longer in @mark
 *	unless set anew
 * @mark: skb->mark as the hook leaves it
 * @set: the bit in @mark that is ours, 0 if none: goes into the note
 */
struct tapdup_verdict {
	enum tapdup_kind kind;
	u32 found;
	u32 mark;
	u32 set;
};

/**
 * tapdup_judge() - is this round a duplicate, and what becomes of the mark?
 * @round: what is known of it
 *
 * Only a bit that we set is ever cleared: one that somebody else had set
 * before is left as it was, all the way.
 *
 * Context: any.
 * Return: the verdict.
 */
struct tapdup_verdict tapdup_judge(const struct tapdup_round *round);

/**
 * tapdup_is_mark() - can this be the parameter mark?
 * @mark: the value
 *
 * Return: true if exactly one bit is set.
 */
static inline bool tapdup_is_mark(u32 mark)
{
	return hweight32(mark) == 1;
}

#endif

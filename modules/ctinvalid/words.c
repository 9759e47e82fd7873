// SPDX-License-Identifier: GPL-2.0
/* What became of an INVALID packet, in words. */

#include "ctinvalid.h"

#include "texts.h"

#define CTINVALID_TEXT(_id, _name, _cause, _fix)			\
	[CTINVALID_##_id] = { _cause, _fix },

static const struct {
	const char *cause;
	const char *fix;
} ctinvalid_texts[] = { CTINVALID_TEXTS(CTINVALID_TEXT) };

/**
 * struct ctinvalid_ending - what a line says of a packet's fate
 * @cause: behind the reason's own cause
 * @fix: instead of the reason's own fix, unless NULL
 */
struct ctinvalid_ending {
	const char *cause;
	const char *fix;
};

static struct ctinvalid_ending
ctinvalid_ending_natted(const struct ctinvalid_outcome *of)
{
	bool answered = of->resets;

	switch (of->fate) {
	case CTINVALID_delivered_local:
		if (answered)
			return (struct ctinvalid_ending) {
				CTINVALID_UNTRANSLATED CTINVALID_TOOK_ANSWERED,
				CTINVALID_HEAL };
		return (struct ctinvalid_ending) {
			CTINVALID_UNTRANSLATED CTINVALID_TOOK };
	case CTINVALID_forwarded:
		if (answered)
			return (struct ctinvalid_ending) {
				CTINVALID_UNTRANSLATED CTINVALID_STRAYED_ANSWERED,
				CTINVALID_HEAL };
		return (struct ctinvalid_ending) {
			CTINVALID_UNTRANSLATED CTINVALID_STRAYED };
	default:
		return (struct ctinvalid_ending) {};
	}
}

static struct ctinvalid_ending
ctinvalid_ending(const struct ctinvalid_outcome *of)
{
	if (of->action == CTINVALID_DISCARD)
		return (struct ctinvalid_ending) {
			CTINVALID_UNTRANSLATED CTINVALID_IN_TIME,
			CTINVALID_MAY_HEAL };
	if (of->action == CTINVALID_CURE)
		return (struct ctinvalid_ending) {
			CTINVALID_UNTRANSLATED CTINVALID_IN_TIME CTINVALID_REST_PASSES,
			"none needed here; find what sends such segments" };
	if (of->fate == CTINVALID_dropped_by_rules)
		return (struct ctinvalid_ending) {
			". It went no further: a rule, or no route" };
	if (of->fate == CTINVALID_sent_local)
		return (struct ctinvalid_ending) { ". This host sent it" };
	if (of->rst)
		return (struct ctinvalid_ending) {
			". Nobody answers a RST", "none needed" };
	if (of->natted)
		return ctinvalid_ending_natted(of);
	if (of->resets)
		return (struct ctinvalid_ending) {
			of->fate == CTINVALID_forwarded ?
			". Its receiver answered RST" :
			". This host has no socket for it and answered RST" };
	return (struct ctinvalid_ending) {};
}

/**
 * ctinvalid_words() - cause and fix for the log
 * @of: what is known of the packet
 * @cause: filled in
 * @size: of @cause
 *
 * Context: any.
 * Return: the fix.
 */
const char *ctinvalid_words(const struct ctinvalid_outcome *of, char *cause,
			    size_t size)
{
	struct ctinvalid_ending ending = ctinvalid_ending(of);

	snprintf(cause, size, "%s%s", ctinvalid_texts[of->reason].cause,
		 ending.cause ?: "");
	if (ending.fix)
		return ending.fix;

	/* The others say that INVALID packets may be dropped. */
	if (of->synproxy && (of->reason == CTINVALID_NO_FLOW ||
			     of->reason == CTINVALID_BAD_FLAGS ||
			     of->reason == CTINVALID_MALFORMED))
		return CTINVALID_SYNPROXY;
	return ctinvalid_texts[of->reason].fix;
}

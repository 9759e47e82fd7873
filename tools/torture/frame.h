/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random frames that have a structure, and faults in it: mostly right, so that
 * they get far, and wrong in one or two places.
 */
#ifndef NETGUARD_TORTURE_FRAME_H
#define NETGUARD_TORTURE_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rng.h"

#define FRAME_MAX 1514

/**
 * struct frame - a frame in the making
 * @data: its bytes
 * @len: how many there are
 * @l2: length of addresses, tags and type
 * @random: where chance comes from
 */
struct frame {
	uint8_t data[2048];
	unsigned int len;
	unsigned int l2;
	struct rng *random;
};

static inline void frame_put(struct frame *f, const void *bytes, unsigned int n)
{
	if (f->len + n > FRAME_MAX)
		n = FRAME_MAX - f->len;
	memcpy(f->data + f->len, bytes, n);
	f->len += n;
}

static inline void frame_u8(struct frame *f, uint8_t value)
{
	frame_put(f, &value, 1);
}

static inline void frame_u16(struct frame *f, uint16_t value)
{
	frame_u8(f, value >> 8);
	frame_u8(f, value);
}

static inline void frame_u32(struct frame *f, uint32_t value)
{
	frame_u16(f, value >> 16);
	frame_u16(f, value);
}

static inline void frame_set16(struct frame *f, unsigned int at, uint16_t value)
{
	f->data[at] = value >> 8;
	f->data[at + 1] = value;
}

static inline void frame_noise(struct frame *f, unsigned int n)
{
	while (n--)
		frame_u8(f, rng_next(f->random));
}

static inline uint32_t frame_sum(const uint8_t *data, unsigned int len,
				 uint32_t sum)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	return sum;
}

static inline uint16_t frame_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A length that is right, or just beside it, or nonsense. */
static inline unsigned int frame_length(struct frame *f, unsigned int right)
{
	switch (rng_below(f->random, 24)) {
	case 0:
		return 0;
	case 1:
		return right + 1;
	case 2:
		return right - 1;
	case 3:
		return rng_next(f->random) & 0xffff;
	case 4:
		return right + rng_below(f->random, 40);
	case 5:
		return rng_below(f->random, right + 1);
	default:
		return right;
	}
}

/* Addresses: mostly known ones, so that flows and routes are met. */
static inline void frame_addr4(struct frame *f, bool from)
{
	if (rng_once_in(f->random, 40))
		frame_u32(f, rng_next(f->random));
	else if (from)
		frame_u32(f, 0xc6336400 + 1 + rng_below(f->random, 4));
	else
		frame_u32(f, rng_below(f->random, 3) ?
			  0xcb007100 + 1 + rng_below(f->random, 4) :
			  0xc63364fe);
}

static inline void frame_addr6(struct frame *f, bool from)
{
	frame_u32(f, 0x20010db8);
	frame_u32(f, from ? 1 : 2 - rng_below(f->random, 2));
	frame_u32(f, 0);
	frame_u32(f, rng_once_in(f->random, 20) ?
		  rng_next(f->random) : 1 + rng_below(f->random, 4));
}

static inline unsigned int frame_port(struct frame *f)
{
	return rng_once_in(f->random, 20) ?
		rng_next(f->random) & 0xffff :
		4000 + rng_below(f->random, 4);
}

static inline void frame_tcp(struct frame *f)
{
	static const uint8_t likely[] = { 0x02, 0x10, 0x10, 0x18, 0x12, 0x04, 0x14, 0x11 };
	struct rng *r = f->random;
	unsigned int begin = f->len, options = 0;

	frame_u16(f, frame_port(f));
	frame_u16(f, frame_port(f));
	/* Sequence numbers in and around one window. */
	frame_u32(f, rng_once_in(r, 8) ? rng_next(r) : 1000 + rng_below(r, 3000));
	frame_u32(f, rng_once_in(r, 8) ? rng_next(r) : 1000 + rng_below(r, 3000));
	frame_u8(f, 0x50);
	frame_u8(f, rng_once_in(r, 6) ? rng_next(r) : likely[rng_below(r, 8)]);
	frame_u16(f, rng_below(r, 4) ? 1000 : rng_next(r));
	frame_u16(f, 0);
	frame_u16(f, 0);
	while (options < 36 && rng_below(r, 3)) {
		static const uint8_t kinds[] = { 2, 3, 4, 5, 8, 19, 28, 254 };
		static const uint8_t sizes[] = { 4, 3, 2, 10, 10, 18, 4, 6 };
		unsigned int which = rng_below(r, 8);
		unsigned int size = sizes[which];

		frame_u8(f, kinds[which]);
		frame_u8(f, rng_once_in(r, 8) ? rng_next(r) : size);
		frame_noise(f, size - 2);
		options += size;
	}
	while (options & 3) {
		frame_u8(f, rng_below(r, 2));
		options++;
	}
	if (f->len >= begin + 13)
		f->data[begin + 12] = rng_once_in(r, 16) ? rng_next(r) :
			(20 + (options > 40 ? 40 : options)) << 2;
}

static inline void frame_ip4(struct frame *f, unsigned int depth);
static inline void frame_ip6(struct frame *f, unsigned int depth);

/* An error quotes the packet it is about, or some of it. */
static inline void frame_quote(struct frame *f, bool six, unsigned int depth)
{
	unsigned int begin = f->len;

	if (depth > 1 || rng_once_in(f->random, 10)) {
		frame_noise(f, rng_below(f->random, 40));
		return;
	}
	if (six)
		frame_ip6(f, depth + 1);
	else
		frame_ip4(f, depth + 1);
	if (rng_once_in(f->random, 4))
		f->len = begin + rng_below(f->random, f->len - begin + 1);
}

static inline void frame_icmp(struct frame *f, bool six, unsigned int depth)
{
	static const uint8_t four[] = { 0, 8, 3, 3, 3, 5, 5, 11, 12, 13 };
	static const uint8_t sixes[] = { 1, 2, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137, 143 };
	struct rng *r = f->random;
	uint8_t type = six ? sixes[rng_below(r, sizeof(sixes))] :
			     four[rng_below(r, sizeof(four))];

	if (rng_once_in(r, 16))
		type = rng_next(r);
	frame_u8(f, type);
	frame_u8(f, rng_below(r, 3) ? rng_below(r, 5) : rng_next(r));
	frame_u16(f, 0);
	if (!six && type == 5) {
		frame_addr4(f, true);
	} else {
		frame_u16(f, rng_once_in(r, 4) ? rng_next(r) : 0);
		frame_u16(f, rng_below(r, 2) ? 1280 + rng_below(r, 300) :
			  rng_next(r));
	}
	if (six && type >= 133 && type <= 137) {
		frame_addr6(f, true);
		frame_addr6(f, false);
		while (rng_below(r, 3)) {
			unsigned int units = rng_below(r, 8) ? 1 + rng_below(r, 2) : 0;

			frame_u8(f, 1 + rng_below(r, 5));
			frame_u8(f, units);
			frame_noise(f, units ? units * 8 - 2 : 2);
		}
	}
	if (type != 0 && type != 8 && type != 128 && type != 129)
		frame_quote(f, six, depth);
	else
		frame_noise(f, rng_below(r, 100));
}

/* What IP carries; returns its protocol. */
static inline void frame_payload(struct frame *f, unsigned int proto, bool six,
				 unsigned int depth)
{
	struct rng *r = f->random;
	unsigned int begin = f->len, data;

	switch (proto) {
	case 6:
		frame_tcp(f);
		break;
	case 17:
		frame_u16(f, frame_port(f));
		frame_u16(f, frame_port(f));
		frame_u16(f, 0);
		frame_u16(f, 0);
		break;
	case 1:
	case 58:
		frame_icmp(f, six, depth);
		break;
	case 4:
		if (depth < 2)
			frame_ip4(f, depth + 1);
		break;
	default:
		frame_noise(f, rng_below(r, 32));
	}
	data = rng_below(r, 2) ? 0 : rng_once_in(r, 8) ?
		rng_below(r, 1300) : rng_below(r, 24);
	if (proto == 6 || proto == 17)
		frame_noise(f, data);
	if (proto == 17 && f->len >= begin + 8)
		frame_set16(f, begin + 4, frame_length(f, f->len - begin));
}

/* Fills in the transport's checksum, unless it shall be wrong. */
static inline void frame_checksum(struct frame *f, unsigned int begin,
				  unsigned int proto, unsigned int addrs,
				  unsigned int addrs_len)
{
	unsigned int at = proto == 6 ? 16 : proto == 17 ? 6 : 2;
	uint32_t sum = 0;
	unsigned int len = f->len - begin;

	if ((proto != 1 && proto != 6 && proto != 17 && proto != 58) ||
	    len < at + 2 || rng_once_in(f->random, 12))
		return;
	frame_set16(f, begin + at, 0);
	if (proto != 1)
		sum = frame_sum(f->data + addrs, addrs_len, proto + len);
	frame_set16(f, begin + at, frame_fold(frame_sum(f->data + begin, len, sum)));
}

static inline unsigned int frame_proto(struct frame *f, bool six)
{
	static const uint8_t four[] = { 6, 6, 6, 6, 17, 17, 1, 1, 1, 4, 47, 132, 50 };
	struct rng *r = f->random;
	unsigned int proto = four[rng_below(r, sizeof(four))];

	if (rng_once_in(r, 40))
		proto = rng_next(r) & 0xff;
	return six && proto == 1 ? 58 : proto;
}

static inline void frame_ip4(struct frame *f, unsigned int depth)
{
	struct rng *r = f->random;
	unsigned int begin = f->len, options, payload, proto;

	options = rng_once_in(r, 8) ? 4 * rng_below(r, 11) : 0;
	proto = frame_proto(f, false);
	frame_u8(f, 0x45 + options / 4);
	frame_u8(f, rng_below(r, 4) ? 0 : rng_next(r));
	frame_u16(f, 0);
	frame_u16(f, rng_below(r, 8));
	frame_u16(f, rng_below(r, 4) ? 0x4000 : rng_once_in(r, 3) ?
		  rng_next(r) : rng_below(r, 2) ? 0x2000 : rng_below(r, 16));
	frame_u8(f, rng_once_in(r, 20) ? 1 : 64);
	frame_u8(f, proto);
	frame_u16(f, 0);
	frame_addr4(f, true);
	frame_addr4(f, false);
	frame_noise(f, options);
	payload = f->len;
	frame_payload(f, proto, false, depth);
	if (f->len < payload || payload < begin + 20)
		return;
	frame_checksum(f, payload, proto, begin + 12, 8);
	frame_set16(f, begin + 2, frame_length(f, f->len - begin));
	if (rng_once_in(r, 40))
		f->data[begin] = rng_next(r);
	if (!rng_once_in(r, 30))
		frame_set16(f, begin + 10,
			    frame_fold(frame_sum(f->data + begin, payload - begin, 0)));
}

static inline void frame_ip6(struct frame *f, unsigned int depth)
{
	static const uint8_t chain[] = { 0, 43, 44, 60, 51, 59 };
	struct rng *r = f->random;
	unsigned int begin = f->len, next = f->len + 6, payload, proto, links;

	proto = frame_proto(f, true);
	frame_u32(f, 0x60000000);
	frame_u16(f, 0);
	frame_u8(f, proto);
	frame_u8(f, rng_once_in(r, 20) ? 1 : 64);
	frame_addr6(f, true);
	frame_addr6(f, false);
	for (links = rng_once_in(r, 3) ? rng_below(r, 6) : 0; links; links--) {
		unsigned int kind = chain[rng_below(r, sizeof(chain))];
		unsigned int units = kind == 44 ? 0 : rng_below(r, 3);

		if (f->len + 8 * (units + 1) > FRAME_MAX)
			break;
		f->data[next] = kind;
		next = f->len;
		frame_u8(f, proto);
		frame_u8(f, rng_once_in(r, 10) ? rng_next(r) : units);
		if (kind == 44) {
			frame_u16(f, rng_below(r, 2) ? rng_next(r) : rng_below(r, 2));
			frame_u32(f, rng_below(r, 8));
		} else {
			/* PadN over all of it, or noise. */
			frame_u8(f, 1);
			frame_u8(f, units * 8 + 4);
			if (rng_below(r, 3))
				while (f->len & 7 && f->len < next + 8 * (units + 1))
					frame_u8(f, 0);
			while (f->len < next + 8 * (units + 1))
				frame_u8(f, rng_below(r, 4) ? 0 : rng_next(r));
		}
	}
	payload = f->len;
	frame_payload(f, proto, true, depth);
	if (f->len < payload || f->len < begin + 40)
		return;
	frame_checksum(f, payload, proto, begin + 8, 32);
	frame_set16(f, begin + 4, frame_length(f, f->len - begin - 40));
	if (rng_once_in(r, 40))
		f->data[begin] = rng_next(r);
}

static inline void frame_arp(struct frame *f)
{
	struct rng *r = f->random;

	frame_u16(f, 1);
	frame_u16(f, rng_once_in(r, 10) ? rng_next(r) : 0x0800);
	frame_u8(f, rng_once_in(r, 10) ? rng_next(r) : 6);
	frame_u8(f, rng_once_in(r, 10) ? rng_next(r) : 4);
	frame_u16(f, 1 + rng_below(r, 2));
	frame_put(f, "\x02\0\0\0\0\x31", 6);
	frame_addr4(f, true);
	frame_noise(f, 6);
	frame_addr4(f, false);
}

/**
 * frame_make() - the next random frame
 * @f: where; its random is set
 * @to: the destination's MAC
 * @from: the source's
 * @wild: addresses may be any, and the frame may end within its tags
 */
static inline void frame_make(struct frame *f, const uint8_t *to,
			      const uint8_t *from, bool wild)
{
	static const uint16_t tpids[] = { 0x8100, 0x8100, 0x8100, 0x88a8, 0x9100 };
	static const uint16_t vids[] = { 10, 10, 20, 0, 4094, 4095 };
	struct rng *r = f->random;
	unsigned int tags, type;

	f->len = 0;
	frame_put(f, to, 6);
	frame_put(f, from, 6);
	if (wild && rng_once_in(r, 8)) {
		static const uint8_t groups[][6] = {
			{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
			{ 0x01, 0x80, 0xc2, 0, 0, 0 },
			{ 0x01, 0x80, 0xc2, 0, 0, 0x02 },
			{ 0x01, 0x80, 0xc2, 0, 0, 0x0e },
			{ 0x33, 0x33, 0, 0, 0, 1 },
			{ 0, 0, 0, 0, 0, 0 },
		};

		memcpy(f->data + 6 * rng_once_in(r, 8), groups[rng_below(r, 6)], 6);
	}
	for (tags = rng_below(r, 2) ? 0 : rng_below(r, 4); tags; tags--) {
		frame_u16(f, tpids[rng_below(r, 5)]);
		frame_u16(f, rng_once_in(r, 6) ? rng_next(r) :
			  vids[rng_below(r, 6)]);
	}
	type = rng_below(r, 16);
	if (type < 8) {
		frame_u16(f, 0x0800);
		f->l2 = f->len;
		frame_ip4(f, 0);
	} else if (type < 12) {
		frame_u16(f, 0x86dd);
		f->l2 = f->len;
		frame_ip6(f, 0);
	} else if (type == 12) {
		frame_u16(f, 0x0806);
		f->l2 = f->len;
		frame_arp(f);
	} else if (type == 13) {
		unsigned int n = rng_below(r, 60);

		frame_u16(f, frame_length(f, n));
		f->l2 = f->len;
		frame_noise(f, n);
	} else if (type == 14) {
		unsigned int begin;

		frame_u16(f, 0x8864);
		f->l2 = f->len;
		frame_u8(f, 0x11);
		frame_u8(f, 0);
		frame_u16(f, 1);
		frame_u16(f, 0);
		frame_u16(f, rng_below(r, 2) ? 0x0021 : 0x0057);
		begin = f->len;
		if (f->data[begin - 1] == 0x21)
			frame_ip4(f, 1);
		else
			frame_ip6(f, 1);
		if (f->len >= begin)
			frame_set16(f, begin - 4, frame_length(f, f->len - begin + 2));
	} else {
		/* LACP, LLDP, MACsec, or what else there is. */
		static const uint16_t other[] = { 0x8809, 0x88cc, 0x88e5, 0x8847 };

		frame_u16(f, rng_below(r, 2) ? other[rng_below(r, 4)] :
			  (unsigned int)(rng_next(r) & 0xffff) | 0x0600);
		f->l2 = f->len;
		frame_noise(f, rng_below(r, 120));
	}

	/* A byte or two that are something else. */
	if (rng_once_in(r, 8) && f->len > f->l2)
		f->data[f->l2 + rng_below(r, f->len - f->l2)] = rng_next(r);
	/*
	 * skb_vlan_untag() drops what ends in its tags, br_nf_pre_routing()
	 * what ends in a PPPoE header.
	 */
	while (!wild && f->len < f->l2 + 8)
		frame_u8(f, 0);
	/* Cut off. */
	if (rng_once_in(r, 12)) {
		unsigned int least = wild ? 14 : f->l2 + 8;

		if (f->len > least)
			f->len = least + rng_below(r, f->len - least);
	}
	/* Padding up to the minimum: none, of zeros, of garbage; or a trailer. */
	switch (rng_below(r, 8)) {
	case 0:
		break;
	case 1:
		frame_noise(f, rng_below(r, 16));
		break;
	case 2:
	case 3:
	case 4:
		while (f->len < 60)
			frame_u8(f, 0);
		break;
	default:
		while (f->len < 60)
			frame_noise(f, 1);
	}
}

#endif

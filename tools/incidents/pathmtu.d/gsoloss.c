// SPDX-License-Identifier: GPL-2.0
/*
 * Makes packets lose their GSO size between TCP and the wire, on any kernel
 * with CONFIG_LWTUNNEL_BPF.
 *
 *   gsoloss PIN MARK
 *
 * Pins a BPF program at PIN, for `ip route add ... encap bpf xmit pinned PIN`.
 * It gives the packet MARK, calls bpf_skb_change_tail() with the length that the
 * packet has already, and asks for another route, which must not have the
 * program again. That helper changes nothing then, but it "drops offloads", so
 * ip_finish_output() finds a long packet without GSO size.
 */
#include <err.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(_code, _dst, _src, _off, _imm) \
	{ .code = (_code), .dst_reg = (_dst), .src_reg = (_src), .off = (_off), .imm = (_imm) }
#define MOV_REG(dst, src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define LOAD(dst, src, off)	INSN(BPF_LDX | BPF_MEM | BPF_W, dst, src, off, 0)
#define STORE(dst, src, off)	INSN(BPF_STX | BPF_MEM | BPF_W, dst, src, off, 0)
#define CALL(helper)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	static char log[16384];
	struct bpf_insn program[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1),
		MOV_IMM(BPF_REG_2, argc > 2 ? atoi(argv[2]) : 0),
		STORE(BPF_REG_6, BPF_REG_2, offsetof(struct __sk_buff, mark)),
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct __sk_buff, len)),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_skb_change_tail),
		MOV_IMM(BPF_REG_0, BPF_LWT_REROUTE),
		EXIT(),
	};
	union bpf_attr attr;
	int fd;

	if (argc != 3)
		errx(2, "usage: gsoloss PIN MARK");

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_LWT_XMIT;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		err(1, "BPF_PROG_LOAD: %s", log);

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)argv[1];
	attr.bpf_fd = fd;
	if (bpf(BPF_OBJ_PIN, &attr))
		err(1, "BPF_OBJ_PIN %s", argv[1]);
	return 0;
}

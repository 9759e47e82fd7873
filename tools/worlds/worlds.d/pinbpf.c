// SPDX-License-Identifier: GPL-2.0
/*
 * Small BPF programs, for `tc ... bpf direct-action object-pinned PIN` and
 * `ip link set ... xdpgeneric pinned PIN`:
 *
 *   pinbpf peer PIN IFINDEX      tc: hands each packet to the peer of that veth
 *   pinbpf pass PIN              XDP: lets each frame pass
 *   pinbpf redirect PIN IFINDEX  XDP: sends each frame out of that device
 *   pinbpf runs PIN              how often it ran, with kernel.bpf_stats_enabled
 */
#include <err.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(_code, _dst, _imm) \
	{ .code = (_code), .dst_reg = (_dst), .imm = (_imm) }
#define SET(reg, imm)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, imm)
#define CALL(helper)		INSN(BPF_JMP | BPF_CALL, 0, helper)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0)

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void load(const char *pin, enum bpf_prog_type type,
		 const struct bpf_insn *program, size_t size)
{
	static char log[16384];
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = size / sizeof(*program);
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		err(1, "BPF_PROG_LOAD: %s", log);

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)pin;
	attr.bpf_fd = fd;
	if (bpf(BPF_OBJ_PIN, &attr))
		err(1, "BPF_OBJ_PIN %s", pin);
}

static void runs(const char *pin)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)pin;
	fd = bpf(BPF_OBJ_GET, &attr);
	if (fd < 0)
		err(1, "BPF_OBJ_GET %s", pin);

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		err(1, "BPF_OBJ_GET_INFO_BY_FD");
	printf("%llu\n", (unsigned long long)info.run_cnt);
}

int main(int argc, char **argv)
{
	int to = argc > 3 ? atoi(argv[3]) : 0;
	const struct bpf_insn peer[] = {
		SET(BPF_REG_1, to), SET(BPF_REG_2, 0),
		CALL(BPF_FUNC_redirect_peer), EXIT(),
	};
	const struct bpf_insn redirect[] = {
		SET(BPF_REG_1, to), SET(BPF_REG_2, 0),
		CALL(BPF_FUNC_redirect), EXIT(),
	};
	const struct bpf_insn pass[] = { SET(BPF_REG_0, XDP_PASS), EXIT() };

	if (argc == 4 && !strcmp(argv[1], "peer"))
		load(argv[2], BPF_PROG_TYPE_SCHED_CLS, peer, sizeof(peer));
	else if (argc == 4 && !strcmp(argv[1], "redirect"))
		load(argv[2], BPF_PROG_TYPE_XDP, redirect, sizeof(redirect));
	else if (argc == 3 && !strcmp(argv[1], "pass"))
		load(argv[2], BPF_PROG_TYPE_XDP, pass, sizeof(pass));
	else if (argc == 3 && !strcmp(argv[1], "runs"))
		runs(argv[2]);
	else
		errx(2, "usage: pinbpf peer|redirect PIN IFINDEX | pass|runs PIN");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The guard's files can come and go while a capture runs, and debugfs is
 * root's: so a process that can do nothing else opens them.
 */

#include "opener.h"
#include "privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int line = -1;

static int open_one(const char *path)
{
	char elsewhere[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	/* "ip netns exec" has a /sys of its own, without debugfs. */
	snprintf(elsewhere, sizeof(elsewhere), "/proc/1/root%s", path);
	return open(elsewhere, O_RDONLY | O_CLOEXEC);
}

/* A message of one byte, and a file or none. */
union one_fd {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

static bool answer(int to, int fd)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union one_fd control = {};
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

static void serve(int from, const char *const *paths)
{
	unsigned char index;
	unsigned int known = 0;
	bool answered = true;
	int null, fd;

	/* Ctrl-C is for the capture, which takes us along. */
	signal(SIGINT, SIG_IGN);
	/* Who reads our output waits for its end, not for ours. */
	null = open("/dev/null", O_RDWR);
	for (fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (!privileges_keep(CAP_TO_MASK(CAP_DAC_READ_SEARCH) |
			     CAP_TO_MASK(CAP_SYS_PTRACE)))
		return;

	while (paths[known])
		known++;
	while (answered && read(from, &index, 1) == 1) {
		fd = index < known ? open_one(paths[index]) : -1;
		answered = answer(from, fd);
		if (fd >= 0)
			close(fd);
	}
}

bool opener_start(const char *const *paths)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return false;

	switch (fork()) {
	case -1:
		close(ends[0]);
		close(ends[1]);
		return false;
	case 0:
		close(ends[0]);
		serve(ends[1], paths);
		_exit(0);
	}
	close(ends[1]);
	line = ends[0];
	return true;
}

int opener_open(unsigned int index)
{
	unsigned char byte = index;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union one_fd control;
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header;
	int fd;

	if (send(line, &byte, 1, MSG_NOSIGNAL) != 1 ||
	    recvmsg(line, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

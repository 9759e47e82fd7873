// SPDX-License-Identifier: GPL-2.0
/*
 * Small messages over TCP, as a web service would send them:
 *
 *	talk serve PORT			answers each line with 200 bytes, then "OK"
 *	talk ask ADDRESS PORT SECONDS N	asks N times on one connection, waits
 *					at most SECONDS for each answer
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <arpa/inet.h>

#define BODY 200

static void answer(int fd)
{
	char body[BODY], line[64];

	memset(body, 'x', sizeof(body));
	while (read(fd, line, sizeof(line)) > 0) {
		if (write(fd, body, sizeof(body)) < 0)
			return;
		/* A segment of its own. */
		usleep(20000);
		if (write(fd, "OK", 2) < 0)
			return;
	}
}

static void serve(int port)
{
	struct sockaddr_in where = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, peer;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&where, sizeof(where)) || listen(fd, 8))
		err(1, "port %d", port);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (!fork()) {
			answer(peer);
			_exit(0);
		}
		close(peer);
	}
	err(1, "accept");
}

static int ask(int fd, int n, int seconds)
{
	char buffer[BODY + 2], line[32];
	int have = 0, got;

	snprintf(line, sizeof(line), "GET /%d\r\n", n);
	if (write(fd, line, strlen(line)) < 0)
		err(1, "write");
	while (have < BODY + 2) {
		got = read(fd, buffer + have, sizeof(buffer) - have);
		if (got <= 0) {
			printf("GET /%d: %d of %d bytes, then nothing for %d s\n",
			       n, have, BODY + 2, seconds);
			return 1;
		}
		have += got;
	}
	printf("GET /%d: %.2s\n", n, buffer + BODY);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	struct timeval limit = { 0 };
	int fd, i;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc != 6 || strcmp(argv[1], "ask"))
		errx(2, "usage: talk serve PORT | talk ask ADDRESS PORT SECONDS N");

	where.sin_addr.s_addr = inet_addr(argv[2]);
	where.sin_port = htons(atoi(argv[3]));
	limit.tv_sec = atoi(argv[4]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&where, sizeof(where)))
		err(1, "connect");
	for (i = 1; i <= atoi(argv[5]); i++)
		if (ask(fd, i, limit.tv_sec))
			return 1;
	return 0;
}

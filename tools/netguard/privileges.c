// SPDX-License-Identifier: GPL-2.0
/* Gives up what only opening the socket was needed for. */

#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

/* A user's or group's number other than root's and than "none". */
static bool read_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || !value || value >= UINT32_MAX)
		return false;
	*id = value;
	return true;
}

/* Who called sudo. */
static bool find_caller(uid_t *uid, gid_t *gid)
{
	return read_id(getenv("SUDO_UID"), uid) && read_id(getenv("SUDO_GID"), gid);
}

/* Who called sudo, else nobody. */
static void find_target(uid_t *uid, gid_t *gid)
{
	struct passwd *nobody;

	if (find_caller(uid, gid))
		return;

	nobody = getpwnam("nobody");
	*uid = nobody && nobody->pw_uid ? nobody->pw_uid : NOBODY;
	*gid = nobody && nobody->pw_gid ? nobody->pw_gid : NOBODY;
}

/* Groups first, and user last: only root may change the others. */
static bool become(uid_t uid, gid_t gid, const gid_t *groups, int n)
{
	if (uid)
		return !setgroups(n, groups) && !setegid(gid) && !seteuid(uid);
	return !seteuid(0) && !setegid(gid) && !setgroups(n, groups);
}

FILE *privileges_create(const char *name)
{
	gid_t own[NGROUPS_MAX], theirs[NGROUPS_MAX], gid, own_gid = getegid();
	int n_own, n_theirs = NGROUPS_MAX, error;
	struct passwd *caller;
	FILE *file;
	uid_t uid;

	if (geteuid() || !getenv("SUDO_UID"))
		return fopen(name, "we");

	if (!find_caller(&uid, &gid)) {
		/* sudo by root itself, or something that is no user. */
		if (!strcmp(getenv("SUDO_UID"), "0"))
			return fopen(name, "we");
		errno = EINVAL;
		return NULL;
	}
	caller = getpwuid(uid);
	if (!caller || getgrouplist(caller->pw_name, gid, theirs, &n_theirs) < 0) {
		theirs[0] = gid;
		n_theirs = 1;
	}
	n_own = getgroups(NGROUPS_MAX, own);
	if (n_own < 0)
		return NULL;

	file = become(uid, gid, theirs, n_theirs) ? fopen(name, "we") : NULL;
	error = errno;
	if (!become(0, own_gid, own, n_own))
		abort();
	errno = error;
	return file;
}

bool privileges_keep(uint32_t capabilities)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct now[2] = {};
	struct __user_cap_data_struct kept[2] = {};
	uid_t uid;
	gid_t gid;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Else they go with the user ID; capset() takes the others away. */
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (!geteuid()) {
		find_target(&uid, &gid);
		if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
		    setresuid(uid, uid, uid))
			return false;
	}
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (syscall(SYS_capget, &header, now))
		return false;
	/* All that we need are among the first 32. */
	kept[0].permitted = now[0].permitted & capabilities;
	kept[0].effective = kept[0].permitted;
	return !syscall(SYS_capset, &header, kept);
}

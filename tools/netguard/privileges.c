// SPDX-License-Identifier: GPL-2.0
/* Gives up what only opening the socket was needed for. */

#include "privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

void privileges_target(uid_t *uid, gid_t *gid)
{
	const char *sudo_uid = getenv("SUDO_UID");
	const char *sudo_gid = getenv("SUDO_GID");
	struct passwd *nobody;

	if (sudo_uid && sudo_gid) {
		*uid = strtoul(sudo_uid, NULL, 10);
		*gid = strtoul(sudo_gid, NULL, 10);
		if (*uid && *gid)
			return;
	}

	nobody = getpwnam("nobody");
	*uid = nobody && nobody->pw_uid ? nobody->pw_uid : NOBODY;
	*gid = nobody && nobody->pw_gid ? nobody->pw_gid : NOBODY;
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
		privileges_target(&uid, &gid);
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

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Host side of tools/vm, sourced by its commands: where kernels are cached and what they are called.
#
# A kernel is named by its series (6.1, 6.12), with a flavour if it has one (6.1-rt, 6.1-cloud), which means the newest
# one apt or the cache knows, or by its full release (6.1.0-56-amd64).

# What the commands in this folder need; the caller hands the list to tools/vm/setup.
# shellcheck disable=SC2034
VM_PACKAGES=(qemu-system-x86 busybox-static cpio kmod xz-utils)

# An unprivileged shell often lacks these, and both the host's tools and the guest's are found through PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

vm_note() { printf '%s\n' "$*" >&2; }

vm_die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# vm_debian KEY: what /etc/os-release says, e.g. VERSION_ID, which is empty where Debian has not been released yet.
vm_debian() { sed -n "s/^$1=\"\?\([^\"]*\).*/\1/p" /etc/os-release; }

# vm_series: the kernels that netguard is tested on where this Debian has them, the default of every command that takes
# $KERNELS. By its number and not by what apt has to offer, so that a source that is missing is an error and not one kernel less.
vm_series() {
	case $(vm_debian VERSION_ID) in
	13) echo 6.12 ;;
	*) echo 6.1 6.12 ;;
	esac
}

# Folders that may hold kernels, the writable one last. A user shares what root has already fetched.
vm_caches() {
	if [[ -n ${NETGUARD_CACHE:-} ]]; then
		echo "$NETGUARD_CACHE"
		return
	fi
	echo /var/cache/netguard
	[[ $EUID = 0 ]] || echo "${XDG_CACHE_HOME:-$HOME/.cache}/netguard"
}

vm_cache() { vm_caches | tail -n 1; }

# vm_complete FOLDER RELEASE: the stamp is written last, the others are what a boot and a build cannot do without.
vm_complete() {
	[[ -s $1/stamp && -s $1/needs && -s $1/boot/vmlinuz-$2 && -s $1/lib/modules/$2/modules.dep &&
		-s $1/usr/src/linux-headers-$2/Module.symvers ]]
}

# vm_kernel_dir RELEASE: prints the complete cached copy, or fails.
vm_kernel_dir() {
	local cache

	while read -r cache; do
		if vm_complete "$cache/kernels/$1" "$1"; then
			echo "$cache/kernels/$1"
			return 0
		fi
	done < <(vm_caches)
	return 1
}

# vm_cached_releases: every complete copy, one release per line.
vm_cached_releases() {
	local cache dir

	while read -r cache; do
		for dir in "$cache"/kernels/*/; do
			dir=${dir%/}
			vm_complete "$dir" "${dir##*/}" && echo "${dir##*/}"
		done
	done < <(vm_caches)
	return 0
}

# vm_unpack FOLDER PACKAGE: a Debian package, not installed. Its .deb stays in the folder.
vm_unpack() {
	vm_note "fetching $2"
	# Without the sandbox user apt would complain that _apt cannot write into our folder.
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$2") >&2 || {
		vm_note "cannot download $2: no network, or apt-get update needed. Kernels in the cache: $(vm_cached_releases | xargs)"
		return 1
	}
	dpkg-deb -x "$1/$2"_*.deb "$1"
}

# vm_release SERIES[-FLAVOUR]|RELEASE: prints the release. The dot after the series keeps 6.1 from matching 6.12, and the
# tail leaves out other flavours, unsigned and dbg.
vm_release() {
	local series=$1 flavour='' release

	if [[ $1 =~ ^([0-9.]+)-([a-z]+)$ ]]; then
		series=${BASH_REMATCH[1]} flavour=-${BASH_REMATCH[2]}
	elif [[ $1 = *-* ]]; then
		echo "$1"
		return 0
	fi
	release=$({ apt-cache pkgnames "linux-image-$series." 2>/dev/null | sed 's/^linux-image-//' || true
		vm_cached_releases; } |
		{ grep -E "^${series//./\\.}\.[0-9][^-]*(-[0-9]+)?$flavour-amd64\$" || true; } | sort -uV | tail -n 1)
	[[ -n $release ]] || {
		vm_note "no Linux $1 among the configured apt sources (apt-get update?) nor in $(vm_cache)"
		return 1
	}
	echo "$release"
}

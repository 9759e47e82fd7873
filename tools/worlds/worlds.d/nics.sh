# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Network cards as the kernel sets them up, and bursts that come in one poll.
#
# vm-files: tools/worlds/receive.sh

# shellcheck source=tools/worlds/receive.sh
. tools/worlds/receive.sh

gro_on() { [[ $(ethtool -k "$1") = *'generic-receive-offload: on'* ]]; }

world_begin() {
	check 'e0 is a card with a driver of its own' test -e /sys/class/net/e0/device/driver
	check 'GRO is on' gro_on e0
}
world_check() { bursts lists; }

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# veth with GRO on: it has a NAPI of its own, which polls what the other end has queued. That is only asked when the other end
# does not segment late (veth_skb_is_eligible_for_gro()).
#
# vm-files: tools/worlds/receive.sh

# shellcheck source=tools/worlds/receive.sh
. tools/worlds/receive.sh

gro_on() { [[ $(ethtool -k "$1") = *'generic-receive-offload: on'* ]]; }

world_begin() {
	local port

	for port in "${ports[@]}"; do
		ethtool -K "$port" gro on
		in_sw ethtool -K "s${port#e}" tso off
	done
	check 'GRO is on' gro_on e0
}
world_check() { bursts lists; }

# SPDX-License-Identifier: GPL-2.0
# bash completion for netguard(8). The words come from the command and from the modules that are loaded.

_netguard_guards() { netguard explain | sed -n 's/^\([a-z]*\): .*/\1/p'; }

_netguard() {
	local cur prev words cword split
	_init_completion -s -n = || return

	if [[ $cword = 1 ]]; then
		COMPREPLY=($(compgen -W "$(netguard --help | sed -n 's/^  \([a-z]*\) .*/\1/p') --help --version" -- "$cur"))
		return
	fi
	case ${words[1]} in
	status)
		if [[ $cur = -* ]]; then
			COMPREPLY=($(compgen -W '--all --json --pretty --recent= --help' -- "$cur"))
		else
			COMPREPLY=($(compgen -W "$(_netguard_guards)" -- "$cur"))
		fi
		;;
	audit) COMPREPLY=($(compgen -W '--json --pretty --help' -- "$cur")) ;;
	explain) COMPREPLY=($(compgen -W "$(_netguard_guards) $(netguard explain | sed -n 's/^  [a-z]*: //p')" -- "$cur")) ;;
	metrics)
		case $prev in
		-t | --textfile) _filedir prom ;;
		*) COMPREPLY=($(compgen -W '--textfile= --recent= --help' -- "$cur")) ;;
		esac
		;;
	set)
		local file guard modes=''
		if [[ $cur = *.*=* ]]; then
			# The words that a parameter takes are those that explain knows as modes.
			guard=${cur%%.*}
			[[ ${cur#*.} = mode=* ]] && modes=$(netguard explain "$guard" | sed -n 's/^  mode: //p')
			COMPREPLY=($(compgen -P "${cur%%=*}=" -W "$modes" -- "${cur#*=}"))
		else
			for file in /sys/module/netguard_*/parameters/*; do
				guard=${file#*/netguard_}
				COMPREPLY+=($(compgen -W "${guard%%/*}.${file##*/}=" -- "$cur"))
			done
		fi
		;;
	esac
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
} && complete -F _netguard netguard

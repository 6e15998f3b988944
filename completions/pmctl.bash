# SPDX-License-Identifier: MIT
# bash completion of pmctl; made by `pmctl __gen completion-bash`, do not edit.
_pmctl_options()
{
	case "$1" in
	start) opts="--env --name --instances --max-memory-restart --cron --node-args --output --error --log --uid --gid --ignore-watch --wait-ready --time --no-autorestart --no-treekill --command --args --interpreter --interpreter-args --cwd --env-file --mode --listen --balance --graceful --instance-var --increment-var --namespace --autostart --autorestart --stop-exit-codes --restart-delay --restart-delay-max --max-restarts --restart-window --min-uptime --memory-max --leak-window --stop-signal --stop-timeout --kill-mode --ready --ready-timeout --health --health-interval --health-timeout --health-failures --reload-parallel --cron-restart --watch --watch-ignore --watch-delay --log-out --log-err --log-format --log-max-size --log-keep --log-compress --user --group --umask --nice --cpu-affinity --after --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	stop) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	restart) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	reload) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	delete|del|rm) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	scale) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	signal|sendSignal) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	reset) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	list|ls|l|ps) opts="--instances --watch --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	status) opts="--instances --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	show|describe|desc|info) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	env) opts="--reveal --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	ports) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	jlist) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	logs|log) opts="--follow --lines --since --until --grep --ignore-case --invert --err --out --raw --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	flush) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	rotate) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	events) opts="--follow --lines --since --type --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	why) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	monit|top|dash|dashboard) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	metrics) opts="--prometheus --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	wait) opts="--for --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	is-active) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	plan) opts="--env --prune --exit-code --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	apply) opts="--env --prune --dry-run --if-plan --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	history) opts="--json --color --config --timeout --no-wait --host --help"; names=1 ;;
	rollback) opts="--dry-run --json --color --config --timeout --no-wait --host --help"; names=1 ;;
	check) opts="--env --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	import) opts="--output --force --format --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	daemon) opts="--leave-running --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	update) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	ping) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	kill) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	save|dump) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	resurrect) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	init) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	doctor) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	startup) opts="--user --system --print --force --root --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	unstartup) opts="--user --system --force --root --json --color --config --timeout --no-wait --host --help"; names=0 ;;
	completion) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	help) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
	*) opts="--help --version --json"; names=0 ;;
	esac
}

# Words are compared, never expanded: a name is whatever another machine says.
_pmctl_offer()
{
	local word
	for word; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# readline does that itself, with all its quoting.
_pmctl_files()
{
	compopt -o default 2>/dev/null
}

_pmctl_hosts()
{
	mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
}

# [profiles]
_pmctl_names()
{
	local line
	while IFS= read -r line; do
		line=${line%%$'\t'*}
		[[ $line == *[!A-Za-z0-9_.@-]* ]] || _pmctl_offer "$line"
	done < <(command pmctl "${where[@]}" __names "$@" 2>/dev/null </dev/null)
}

_pmctl()
{
	local commands="start stop restart reload delete scale signal reset list status show env ports jlist logs flush rotate events why monit metrics wait is-active plan apply history rollback check import daemon update ping kill save resurrect init doctor startup unstartup completion help"
	local cur=${2-${COMP_WORDS[COMP_CWORD]}} prev=${COMP_WORDS[COMP_CWORD-1]}
	local cmd="" opts names operands=0 i word where=() IFS=$' \t\n'
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c|--config|--timeout|--color|--host)
			word=${COMP_WORDS[i]}
			((i++))
			[[ ${COMP_WORDS[i]} != = ]] || ((i++))
			case $word in
			--host)
				word=${COMP_WORDS[i]}
				while [[ ${COMP_WORDS[i+1]} == @ ]]; do
					word+=@${COMP_WORDS[i+2]}
					((i += 2))
				done
				where+=(--host "$word") ;;
			-c|--config)
				word=${COMP_WORDS[i]//["'\\\""]/}
				where+=(-c "${word/#\~\//$HOME/}") ;;
			esac ;;
		=) ((i++)) ;;
		@|-*) ;;
		*) if [[ -z $cmd ]]; then cmd=${COMP_WORDS[i]}; else ((operands++)); fi ;;
		esac
	done
	if [[ ${COMP_WORDS[COMP_CWORD]} == = ]]; then
		cur=""
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $prev in
	--env) _pmctl_names profiles; return ;;
	--output|-o) _pmctl_files; return ;;
	--error|-e) _pmctl_files; return ;;
	--log|-l) _pmctl_files; return ;;
	--interpreter) _pmctl_files; return ;;
	--cwd) _pmctl_files; return ;;
	--env-file) _pmctl_files; return ;;
	--mode) _pmctl_offer auto fork cluster; return ;;
	--balance) _pmctl_offer shared reuseport round-robin; return ;;
	--autorestart) _pmctl_offer always on-failure never; return ;;
	--kill-mode) _pmctl_offer tree group process; return ;;
	--ready) _pmctl_offer auto spawn listening message notify; return ;;
	--log-format) _pmctl_offer raw time json; return ;;
	--log-compress) _pmctl_offer no gzip; return ;;
	--color) _pmctl_offer auto always never; return ;;
	--config|-c) _pmctl_files; return ;;
	--host) _pmctl_hosts; return ;;
	--for) _pmctl_offer ready stopped; return ;;
	--root) _pmctl_files; return ;;
	esac
	if [[ -z $cmd ]]; then
		[[ $prev == @ ]] || _pmctl_offer $commands --help --version
		return
	fi
	_pmctl_options "$cmd"
	if [[ $cur == -* ]]; then
		_pmctl_offer $opts
		return
	fi
	case $cmd in
	help) _pmctl_offer $commands exit-codes ;;
	check|plan|apply|import) _pmctl_files ;;
	daemon) [ $operands = 0 ] && _pmctl_offer start stop status upgrade paths ;;
	completion) [ $operands = 0 ] && _pmctl_offer bash zsh fish ;;
	signal) if [ $operands = 0 ]; then names=0; _pmctl_offer SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS SIGIOT SIGPOLL; fi ;;
	esac
	[[ $names = 0 ]] || _pmctl_names
	[[ $cmd != start || ${#COMPREPLY[@]} -gt 0 ]] || _pmctl_files
}
complete -F _pmctl pmctl

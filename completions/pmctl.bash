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
	monit|top|dash) opts="--json --color --config --timeout --no-wait --host --help"; names=0 ;;
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

_pmctl()
{
	local cur prev cmd="" opts names words=0 i host=() _pmctl_commands
	COMPREPLY=()
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD-1]}
	_pmctl_commands="start stop restart reload delete scale signal reset list status show env ports jlist logs flush rotate events why monit metrics wait is-active plan apply history rollback check import daemon update ping kill save resurrect init doctor startup unstartup completion help"
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "${COMP_WORDS[i]}" in
		-c|--config|--timeout|--color) ((i++)) ;;
		--host) ((i++)); host=(--host "${COMP_WORDS[i]}")
			while [ "${COMP_WORDS[i+1]}" = @ ]; do
				host[1]+=@${COMP_WORDS[i+2]}; ((i += 2))
			done ;;
		-*) ;;
		*) if [ -z "$cmd" ]; then cmd=${COMP_WORDS[i]}; else words=$((words + 1)); fi ;;
		esac
	done
	case "$prev" in
	-c|--config|--cwd|--env-file|--log-out|--log-err) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
	--host) COMPREPLY=($(compgen -A hostname -- "$cur")); return ;;
	--for) COMPREPLY=($(compgen -W "ready stopped" -- "$cur")); return ;;
	esac
	if [ -z "$cmd" ]; then
		COMPREPLY=($(compgen -W "$_pmctl_commands --help --version" -- "$cur"))
		return
	fi
	_pmctl_options "$cmd"
	case "$cur" in
	-*) COMPREPLY=($(compgen -W "$opts" -- "$cur")) ;;
	*)
		case "$cmd" in
		help) COMPREPLY=($(compgen -W "$_pmctl_commands exit-codes" -- "$cur")) ;;
		check|plan|apply|import) COMPREPLY=($(compgen -f -- "$cur")) ;;
		daemon) COMPREPLY=($(compgen -W "start stop status upgrade paths" -- "$cur")) ;;
		completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")) ;;
		signal) [ "$words" = 0 ] && COMPREPLY=($(compgen -W "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS SIGIOT SIGPOLL" -- "$cur")) ;;
		esac
		if [ "$names" = 1 ] && [ ${#COMPREPLY[@]} = 0 ]; then
			COMPREPLY=($(compgen -W "$(pmctl "${host[@]}" __names 2>/dev/null)" -- "$cur"))
			[ "$cmd" = start ] && COMPREPLY+=($(compgen -f -- "$cur"))
		fi
		;;
	esac
}
complete -o filenames -o bashdefault -F _pmctl pmctl

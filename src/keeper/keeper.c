/* SPDX-License-Identifier: MIT */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/signals.h"
#include "keeper/copier.h"
#include "keeper/fdstore.h"
#include "keeper/handover.h"
#include "keeper/reaper.h"
#include "keeper/setup.h"
#include "keeper/shared.h"
#include "keeper/tell.h"
#include "keeper/trial.h"
#include "sys/fdpass.h"

#define HEALTHY_MS     1000 /* a supervisor that ran this long starts the delays anew */
#define COPY_AFTER     1000 /* ms without a supervisor before we copy the logs ourselves */
#define COPY_PERIOD    50
#define RESTING_PERIOD 200
#define LOOK_AGAIN     20
#define FIRST_TRIES    7 /* a supervisor that never came up is not tried for ever */

static struct keeper {
	struct keeper_options opt;
	struct ring *ring;
	int ring_fd, event_fd, signal_fd;
	int sock;	  /* to the supervisor; -1 = none runs */
	pid_t pid;	  /* of the supervisor; 0 = none runs */
	int64_t since;	  /* when it was started, or when it died */
	int64_t start_at; /* when the next one is due; valid while pid == 0 */
	unsigned failures;
	bool stopping; /* the supervisor said that its end is wanted */
	bool resting;  /* the same, but what runs is to be kept until somebody wakes us */
	bool woken;    /* from rest, by who waits for the lock until somebody answers */
	bool term;     /* asked to end while no supervisor runs */
	bool ready;
	bool dead_left; /* somebody dead may wait for us, whatever SIGCHLD says */
	int hand_out;	/* index of the next store entry to hand back; -1 = not handing out */
	int exit_status;
	struct trial trial; /* of another program as supervisor */
	struct fdstore store;
} k;

extern char **environ;

static const int restart_delays_ms[] = {0, 100, 500, 1000, 2000, 4000, 8000, 16000, 30000};

static void tell_ready(const char *reason)
{
	tell_launcher(k.opt.ready_fd, reason);
	k.opt.ready_fd = -1;
}

/* In the child between fork and exec: the three descriptors to their places. */
static void exec_supervisor(int sock)
{
	int from[5] = {k.ring_fd, k.event_fd, sock, k.opt.lock_fd, trial_program(&k.trial)};
	bool on_trial = from[4] >= 0;
	for (int i = 0; i < 5; i++) { /* above the places, so that none is in the way */
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
	}
	for (int i = 0; i < 4; i++) {
		if (dup2(from[i], KEEPER_FD_RING + i) < 0) {
			_exit(127); /* it could do nothing without, and would not know */
		}
	}
	/* Wait, pending, until the supervisor can take them: watch_signals(). */
	sigset_t later;
	sigemptyset(&later);
	sigaddset(&later, SIGTERM);
	sigaddset(&later, SIGINT);
	sigaddset(&later, SIGHUP);
	sigaddset(&later, SIGUSR1);
	sigaddset(&later, SIGUSR2);
	sigprocmask(SIG_SETMASK, &later, NULL);
	signal(SIGPIPE, SIG_DFL);
	char *argv[] = {(char[]){"pmctld"}, (char[]){"--supervisor"}, NULL};
	if (on_trial) {
		syscall(SYS_execveat, from[4], "", argv, environ, AT_EMPTY_PATH);
	} else {
		execv("/proc/self/exe", argv);
	}
	_exit(127);
}

static void cannot_start(void)
{
	log_line("cannot start a supervisor: %s; next try in 1 s", strerror(errno));
	k.start_at = k.since + 1000;
}

static void start_supervisor(void)
{
	int pair[2];
	k.since = clock_mono_ms();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		cannot_start();
		return;
	}
	k.ring->supervisor_starts++;
	pid_t pid = fork();
	if (pid == 0) {
		exec_supervisor(pair[1]);
	}
	if (pid < 0) {
		cannot_start();
		close(pair[0]);
		close(pair[1]);
		return;
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	k.pid = pid;
	k.sock = pair[0];
	k.hand_out = -1;
	trial_started(&k.trial, k.since);
}

/* What is installed now, if it is another program than the one we are. */
static void try_installed(void)
{
	struct stat ours, its;
	int fd = k.ring->program[0] ? open(k.ring->program, O_PATH | O_CLOEXEC) : -1;
	if (fd >= 0 && fstat(fd, &its) == 0 && stat("/proc/self/exe", &ours) == 0 &&
	    (its.st_dev != ours.st_dev || its.st_ino != ours.st_ino)) {
		trial_ask(&k.trial, &k.ring->upgrade, fd);
	} else if (fd >= 0) {
		close(fd);
	}
}

static void wake(void)
{
	k.resting = false;
	k.woken = true;
	k.failures = 0;
	k.start_at = clock_mono_ms();
	try_installed();
}

/* Whether it fell by itself: not by somebody's kill, nor because it said that it cannot work. */
static bool is_crash(int status)
{
	if (!WIFSIGNALED(status)) {
		return false;
	}
	int sig = WTERMSIG(status);
	return sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS || sig == SIGFPE ||
	       sig == SIGILL || sig == SIGSYS || sig == SIGTRAP;
}

static void log_death(int status, int delay)
{
	char name[SIGNALS_NAME];
	if (WIFSIGNALED(status)) {
		log_line("supervisor killed by %s; the apps run on; next start in %d ms",
			 signals_name(WTERMSIG(status), name), delay);
	} else {
		log_line("supervisor exited %d; the apps run on; next start in %d ms",
			 WEXITSTATUS(status), delay);
	}
}

/* When the next one is due. An end that was wanted, or that of a program on trial, is no crash. */
static void plan_restart(int status, int64_t now, bool wanted)
{
	bool healthy = now - k.since >= HEALTHY_MS;
	bool crashed = !healthy && !wanted && is_crash(status);
	unsigned last = ARRAY_LEN(restart_delays_ms) - 1;
	k.failures = healthy || wanted ? 0 : k.failures + 1;
	k.ring->crashes = crashed ? k.ring->crashes + 1 : 0; /* in a row */
	int delay = restart_delays_ms[k.failures < last ? k.failures : last];
	log_death(status, delay);
	k.since = now;
	k.start_at = now + delay;
}

static void on_supervisor_died(int status)
{
	int64_t now = clock_mono_ms();
	close(k.sock);
	k.sock = -1;
	k.pid = 0;
	k.ring->last_supervisor_status = status;
	k.ring->last_supervisor_real_ms = clock_real_ms();
	if (k.stopping) {
		return;
	}
	if (k.resting) {
		log_line("resting; the apps run on; `pmctl daemon start` wakes me");
		k.since = now;
		trial_again(&k.trial);
		if (k.term) {
			wake();
		}
		return;
	}
	if (trial_died(&k.trial, &k.ring->upgrade, status, now)) {
		log_line("upgrade rolled back: %s", k.ring->upgrade.why);
		if (k.woken && trial_is_foreign(status) && !k.term && !k.ring->foreground) {
			log_line("ending; the apps run on, and are for whoever woke me");
			k.stopping = true;
			return;
		}
		plan_restart(status, now, true);
		return;
	}
	if (!k.ready && k.failures + 1 >= FIRST_TRIES) {
		tell_ready("the supervisor does not come up; pmctld.log may say why");
		k.stopping = true;
		k.exit_status = 1;
		return;
	}
	plan_restart(status, now, k.trial.state == TRIAL_ASKED);
}

static void read_signals(void)
{
	struct signalfd_siginfo si;
	while (read(k.signal_fd, &si, sizeof(si)) == sizeof(si)) {
		int sig = (int)si.ssi_signo;
		if (sig == SIGCHLD) {
			continue; /* the reaper runs on every turn */
		}
		if (k.pid) {
			kill(k.pid, sig);
		}
		k.term |= sig == SIGTERM || sig == SIGINT;
		if (k.resting && !k.pid && (k.term || sig == SIGUSR1)) {
			wake(); /* only a supervisor can stop apps, too */
		}
	}
}

static void take_message(const struct keeper_msg *m, int fd)
{
	switch (m->type) {
	case KM_PUT:
		if (fd < 0 || !fdstore_put(&k.store, m->name, fd)) {
			log_line("descriptor %s not kept", m->name);
		} else if (strcmp(m->name, "log") == 0) {
			log_set_fd(fd);
		}
		return;
	case KM_DROP:
		fdstore_drop(&k.store, m->name);
		break;
	case KM_FETCH:
		k.hand_out = 0;
		break;
	case KM_READY:
		if (!k.ready) {
			tell_ready("");
			tell_manager(k.ring->notify, "READY=1");
		}
		k.ready = true;
		k.woken = false;
		trial_ready(&k.trial, clock_mono_ms());
		if (k.term) {
			kill(k.pid, SIGTERM); /* before it was ready it would only have died */
		}
		break;
	case KM_FAIL:
		log_line("%s", m->text);
		snprintf(k.trial.said, sizeof(k.trial.said), "%s", m->text);
		if (k.ready) {
			break; /* apps run: the next supervisor may find the disk writable again */
		}
		tell_ready(m->text);
		k.stopping = true;
		k.exit_status = 1;
		break;
	case KM_STOP:
		k.stopping = true;
		tell_manager(k.ring->notify, "STOPPING=1");
		break;
	case KM_REST:
		k.resting = true;
		break;
	case KM_TRY:
		if (fd >= 0) {
			trial_ask(&k.trial, &k.ring->upgrade, fd);
		} else { /* the kernel drops what finds no number */
			trial_refuse(&k.ring->upgrade, "no descriptor was left for it");
		}
		return;
	default:
		break;
	}
	if (fd >= 0) {
		close(fd);
	}
}

static void read_messages(void)
{
	struct keeper_msg m;
	int fd;
	while (fdpass_recv(k.sock, &m, sizeof(m), &fd, 0) == sizeof(m)) {
		m.name[KEEPER_NAME - 1] = '\0';
		m.text[sizeof(m.text) - 1] = '\0';
		take_message(&m, fd);
	}
}

/* As much as the socket takes; the rest when it is writable again. */
static void hand_out(void)
{
	struct keeper_msg m = {0};
	while (k.hand_out >= 0) {
		bool end = k.hand_out >= k.store.used;
		const struct fdstore_entry *e = end ? NULL : &k.store.entry[k.hand_out];
		if (!end && !e->name[0]) {
			k.hand_out++;
			continue;
		}
		m.type = end ? KM_END : KM_ITEM;
		snprintf(m.name, sizeof(m.name), "%s", end ? "" : e->name);
		if (fdpass_send(k.sock, &m, sizeof(m), end ? -1 : e->fd) < 0) {
			return;
		}
		k.hand_out = end ? -1 : k.hand_out + 1;
	}
}

static int poll_timeout(void)
{
	int64_t now = clock_mono_ms();
	if (k.pid) {
		int due = trial_due_ms(&k.trial, now);
		return k.dead_left || due == 0 ? LOOK_AGAIN : due; /* due, and not possible yet */
	}
	if (k.resting) {
		return RESTING_PERIOD;
	}
	int64_t wait = k.start_at > now ? k.start_at - now : 0;
	return wait > COPY_PERIOD ? COPY_PERIOD : (int)wait;
}

/* The new supervisor has proven itself: become its program. Our children stay ours. */
static void become_new(void)
{
	struct handover h = {.supervisor_pid = k.pid,
			     .ring_fd = k.ring_fd,
			     .event_fd = k.event_fd,
			     .lock_fd = k.opt.lock_fd,
			     .log_fd = fdstore_find(&k.store, "log"),
			     .sock_fd = k.sock};
	char why[200];
	handover_exec(&h, &k.store, trial_program(&k.trial));
	snprintf(why, sizeof(why), "the keeper is still the old program: %s", strerror(errno));
	log_line("%s", why);
	trial_end(&k.trial, &k.ring->upgrade, why);
}

static void check_trial(int64_t now)
{
	if (k.pid && trial_is_late(&k.trial, now)) {
		kill(k.pid, SIGKILL);
	}
	/* What was asked for is known to the program we are only. */
	bool ends = k.stopping || k.resting || k.term;
	if (k.pid && !ends && k.hand_out < 0 && trial_is_proven(&k.trial, now)) {
		become_new();
	}
}

static void while_nobody_supervises(int64_t now)
{
	if (k.resting || now - k.since > COPY_AFTER) {
		copier_run(&k.store);
	}
	if (!k.resting && now >= k.start_at) {
		start_supervisor();
	}
}

static void turn(void)
{
	struct pollfd p[2] = {{.fd = k.signal_fd, .events = POLLIN},
			      {.fd = k.sock, .events = POLLIN}};
	p[1].events |= k.hand_out >= 0 ? POLLOUT : 0;
	poll(p, 2, poll_timeout());
	bool woken = p[0].revents || (p[1].revents & (POLLHUP | POLLERR)) || k.dead_left || !k.pid;
	if (k.sock >= 0) {
		read_messages();
		hand_out();
	}
	if (woken) { /* otherwise nobody died, as SIGCHLD would say */
		read_signals();
		bool died = false;
		int status = 0;
		k.dead_left = reaper_run(k.ring, k.event_fd, k.pid, &died, &status);
		if (died) {
			read_messages(); /* its last words: KM_STOP, KM_FAIL */
			on_supervisor_died(status);
		}
	}
	int64_t now = clock_mono_ms();
	check_trial(now);
	if (!k.pid && !k.stopping) {
		while_nobody_supervises(now);
	}
}

static int live(void)
{
	k.ring->keeper_pid = getpid();
	setup_pid_file(k.opt.lock_fd);
	if (!k.pid) {
		start_supervisor();
	}
	while (k.pid || !k.stopping) {
		turn();
	}
	return k.exit_status ? k.exit_status : k.ring->container.exit_status;
}

static void init(int log_fd)
{
	k.sock = -1;
	k.hand_out = -1;
	k.trial.fd = -1;
	k.opt.log_fd = log_fd;
	log_init("keeper", log_fd);
}

int keeper_run(const struct keeper_options *opt)
{
	k.opt = *opt;
	init(opt->log_fd);
	k.ring = setup_ring(&k.ring_fd, &k.event_fd);
	k.signal_fd = k.ring ? setup_signals() : -1;
	if (k.signal_fd < 0) {
		log_line("cannot start: %s", strerror(errno));
		tell_ready(strerror(errno));
		return 1;
	}
	k.ring->foreground = opt->foreground;
	k.ring->container = opt->container;
	snprintf(k.ring->notify, sizeof(k.ring->notify), "%s",
		 opt->notify_socket ? opt->notify_socket : "");
	setup_limits(k.ring);
	setup_process();
	return live();
}

int keeper_take_over(int handover_fd)
{
	struct handover h;
	if (!handover_read(handover_fd, &h, &k.store)) {
		return 2; /* not called by one of us */
	}
	k.opt = (struct keeper_options){.ready_fd = -1, .lock_fd = h.lock_fd};
	init(h.log_fd);
	k.ring_fd = h.ring_fd;
	k.event_fd = h.event_fd;
	k.sock = h.sock_fd;
	k.pid = h.supervisor_pid;
	k.ready = true;
	k.ring = setup_old_ring(k.ring_fd);
	k.signal_fd = k.ring ? setup_signals() : -1;
	if (k.signal_fd < 0) {
		log_line("cannot take over: %s", strerror(errno));
		return 1;
	}
	k.since = clock_mono_ms();
	k.dead_left = true; /* a SIGCHLD that came before setup_signals() is gone */
	setup_process();
	char mainpid[32];
	snprintf(mainpid, sizeof(mainpid), "MAINPID=%d", (int)getpid());
	tell_manager(k.ring->notify, mainpid);
	log_line("took over as keeper, pid %d, %u descriptors", (int)getpid(), h.nheld);
	if (atomic_load(&k.ring->upgrade.state) == UPGRADE_TRIAL) {
		setup_program(k.ring);
		trial_end(&k.trial, &k.ring->upgrade, "");
	}
	return live();
}

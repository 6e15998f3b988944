/* SPDX-License-Identifier: MIT */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "keeper/copier.h"
#include "keeper/reaper.h"
#include "keeper/shared.h"
#include "keeper/store.h"
#include "sys/fdpass.h"

#define HEALTHY_MS     1000 /* a supervisor that ran this long starts the delays anew */
#define COPY_AFTER     1000 /* ms without a supervisor before we copy the logs ourselves */
#define COPY_PERIOD    50
#define RESTING_PERIOD 200
#define FILES_WANTED   65536
#define FIRST_TRIES    3 /* a supervisor that never came up is not tried for ever */

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
	bool woken;    /* the next supervisor is the program that is installed now */
	bool term;     /* asked to end while no supervisor runs */
	bool ready;
	bool ring_full;
	int hand_out; /* index of the next store entry to hand back; -1 = not handing out */
	int exit_status;
	struct store store;
	char path[4096]; /* where our program was when we started */
} k;

static const int restart_delays_ms[] = {0, 100, 500, 1000, 2000, 4000, 8000, 16000, 30000};

static void tell_launcher(const char *reason)
{
	if (k.opt.ready_fd >= 0) {
		if (write(k.opt.ready_fd, reason, strlen(reason)) < 0) {
			errno = 0; /* the launcher is gone; it cannot be told */
		}
		close(k.opt.ready_fd);
		k.opt.ready_fd = -1;
	}
}

/* sd_notify(3): one datagram to the socket the service manager named. */
static void notify(const char *text)
{
	const char *path = k.opt.notify_socket;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(sa.sun_path)) {
		return;
	}
	size_t len = strlen(path);
	memcpy(sa.sun_path, path, len + 1);
	if (path[0] == '@') {
		sa.sun_path[0] = '\0';
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sa, size);
		close(fd);
	}
}

static bool set_up_ring(void)
{
	k.ring_fd = memfd_create("pmctl-ring", MFD_CLOEXEC);
	k.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k.ring_fd < 0 || k.event_fd < 0 || ftruncate(k.ring_fd, sizeof(struct ring)) != 0) {
		return false;
	}
	k.ring = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED, k.ring_fd, 0);
	if (k.ring == MAP_FAILED) {
		return false;
	}
	k.ring->protocol = KEEPER_PROTOCOL;
	k.ring->keeper_pid = getpid();
	k.ring->started_mono_ms = clock_mono_ms();
	k.ring->foreground = k.opt.foreground;
	return true;
}

static int swap_oom_score(const char *value)
{
	char old[16] = "0";
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = pread(fd, old, sizeof(old) - 1, 0);
		old[n > 0 ? n : 0] = '\0';
		if (write(fd, value, strlen(value)) < 0) {
			errno = 0; /* not root: we stay where we are */
		}
		close(fd);
	}
	return atoi(old);
}

/* The limits we need; the apps get back what we were started with. */
static void set_up_process(void)
{
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	k.ring->nofile_soft = rl.rlim_cur == RLIM_INFINITY ? UINT64_MAX : rl.rlim_cur;
	k.ring->nofile_hard = rl.rlim_max == RLIM_INFINITY ? UINT64_MAX : rl.rlim_max;
	rl.rlim_cur = rl.rlim_max;
	if (rl.rlim_max < FILES_WANTED) {
		struct rlimit more = {FILES_WANTED, FILES_WANTED};
		if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
			rl = more; /* root may */
		}
	}
	setrlimit(RLIMIT_NOFILE, &rl);
	getrlimit(RLIMIT_CORE, &rl);
	k.ring->core_soft = rl.rlim_cur == RLIM_INFINITY ? UINT64_MAX : rl.rlim_cur;
	k.ring->core_hard = rl.rlim_max == RLIM_INFINITY ? UINT64_MAX : rl.rlim_max;
	rl.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &rl);
	k.ring->oom_score_adj = swap_oom_score("-900");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "pmctl-keeper");
}

static bool set_up_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* a caller that ignores it makes us never see an exit */
	k.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k.signal_fd >= 0;
}

/* In the child between fork and exec: the three descriptors to their places. */
static void exec_supervisor(int sock)
{
	int from[4] = {k.ring_fd, k.event_fd, sock, k.opt.lock_fd};
	for (int i = 0; i < 4; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
	}
	for (int i = 0; i < 4; i++) {
		dup2(from[i], KEEPER_FD_RING + i);
	}
	/* Wait, pending, until the supervisor can take them: watch_signals(). */
	sigset_t later;
	sigemptyset(&later);
	sigaddset(&later, SIGTERM);
	sigaddset(&later, SIGINT);
	sigprocmask(SIG_SETMASK, &later, NULL);
	signal(SIGPIPE, SIG_DFL);
	char *argv[] = {(char[]){"pmctld"}, (char[]){"--supervisor"}, NULL};
	if (k.woken) {
		execv(k.path, argv);
	}
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void start_supervisor(void)
{
	int pair[2];
	k.since = clock_mono_ms();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		k.start_at = k.since + 1000;
		return;
	}
	k.ring->supervisor_starts++;
	pid_t pid = fork();
	if (pid == 0) {
		exec_supervisor(pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		log_line("cannot fork a supervisor: %s; next try in 1 s", strerror(errno));
		close(pair[0]);
		k.start_at = k.since + 1000;
		return;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	k.pid = pid;
	k.sock = pair[0];
	k.hand_out = -1;
}

static void wake(void)
{
	k.resting = false;
	k.woken = true;
	k.failures = 0;
	k.start_at = clock_mono_ms();
}

static void on_supervisor_died(int status)
{
	int64_t now = clock_mono_ms();
	bool healthy = now - k.since >= HEALTHY_MS;
	close(k.sock);
	k.sock = -1;
	k.pid = 0;
	k.ring->last_supervisor_status = status;
	if (k.stopping) {
		return;
	}
	if (k.resting) {
		log_line("resting; the apps run on; `pmctl daemon start` wakes me");
		k.since = now;
		if (k.term) {
			wake();
		}
		return;
	}
	k.failures = healthy ? 0 : k.failures + 1;
	k.woken &= healthy; /* a new program that does not work: back to ours */
	if (!k.ready && k.failures >= FIRST_TRIES) {
		tell_launcher("the supervisor does not come up; pmctld.log may say why");
		k.stopping = true;
		k.exit_status = 1;
		return;
	}
	unsigned last = ARRAY_LEN(restart_delays_ms) - 1;
	int delay = restart_delays_ms[k.failures < last ? k.failures : last];
	log_line("supervisor %s %d; the apps run on; next start in %d ms",
		 WIFSIGNALED(status) ? "killed by signal" : "exited",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), delay);
	k.since = now;
	k.start_at = now + delay;
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
		if (fd >= 0 && strcmp(m->name, "log") == 0) {
			log_set_fd(fd);
		}
		if (fd < 0 || !store_put(&k.store, m->name, fd)) {
			log_line("descriptor %s not kept", m->name);
		}
		return;
	case KM_DROP:
		store_drop(&k.store, m->name);
		break;
	case KM_FETCH:
		k.hand_out = 0;
		break;
	case KM_READY:
		if (!k.ready) {
			tell_launcher("");
			notify("READY=1");
		}
		k.ready = true;
		if (k.term) {
			kill(k.pid, SIGTERM); /* before it was ready it would only have died */
		}
		break;
	case KM_FAIL:
		log_line("%s", m->text);
		if (k.ready) {
			break; /* apps run: the next supervisor may find the disk writable again */
		}
		tell_launcher(m->text);
		k.stopping = true;
		k.exit_status = 1;
		break;
	case KM_STOP:
		k.stopping = true;
		notify("STOPPING=1");
		break;
	case KM_REST:
		k.resting = true;
		break;
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
		const struct store_entry *e = end ? NULL : &k.store.entry[k.hand_out];
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
		return k.ring_full ? 20 : -1;
	}
	if (k.resting) {
		return RESTING_PERIOD;
	}
	int64_t wait = k.start_at > now ? k.start_at - now : 0;
	return wait > COPY_PERIOD ? COPY_PERIOD : (int)wait;
}

static void turn(void)
{
	struct pollfd p[2] = {{.fd = k.signal_fd, .events = POLLIN},
			      {.fd = k.sock, .events = POLLIN}};
	p[1].events |= k.hand_out >= 0 ? POLLOUT : 0;
	poll(p, 2, poll_timeout());
	bool woken = p[0].revents || (p[1].revents & (POLLHUP | POLLERR)) || k.ring_full || !k.pid;
	if (k.sock >= 0) {
		read_messages();
		hand_out();
	}
	if (!woken) {
		return; /* only messages: nobody died, as SIGCHLD would say */
	}
	read_signals();
	bool died = false;
	int status = 0;
	k.ring_full = reaper_run(k.ring, k.event_fd, k.pid, &died, &status);
	if (died) {
		read_messages(); /* its last words: KM_STOP, KM_FAIL */
		on_supervisor_died(status);
	}
	int64_t now = clock_mono_ms();
	if (!k.pid && !k.stopping) {
		if (k.resting || now - k.since > COPY_AFTER) {
			copier_run(&k.store);
		}
		if (!k.resting && now >= k.start_at) {
			start_supervisor();
		}
	}
}

int keeper_run(const struct keeper_options *opt)
{
	k.opt = *opt;
	k.sock = -1;
	k.hand_out = -1;
	log_init("keeper", opt->log_fd);
	if (!set_up_ring() || !set_up_signals()) {
		log_line("cannot start: %s", strerror(errno));
		tell_launcher(strerror(errno));
		return 1;
	}
	set_up_process();
	if (readlink("/proc/self/exe", k.path, sizeof(k.path) - 1) < 0) {
		k.path[0] = '\0';
	}
	start_supervisor();
	while (k.pid || !k.stopping) {
		turn();
	}
	return k.exit_status;
}

/* SPDX-License-Identifier: MIT */
#include "client/away.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/interrupt.h"
#include "common/clock.h"

#define FIRST_NAP_MS 5
#define NAP_MS	     200
/* The socket is gone but not the lock: it ends, or rests after `daemon stop --leave-running`. */
#define REST_MS 3000

bool away_is_lost(const struct err *err)
{
	return err->code == ERR_NO_DAEMON;
}

bool away_is_locked(const struct client *c)
{
	int fd = c->paths.lock ? open(c->paths.lock, O_RDONLY | O_CLOEXEC) : -1;
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (fd >= 0) {
		close(fd);
	}
	return locked;
}

void away_begin(struct away *a, struct client *c)
{
	*a = (struct away){0};
	conn_close(&c->conn);
}

enum away_now away_look(struct away *a, struct client *c)
{
	struct err err;
	int64_t now = clock_mono_ms();
	if (client_connect(c, &err)) {
		return AWAY_BACK;
	}
	bool locked = away_is_locked(c);
	bool socket = access(c->paths.socket, F_OK) == 0;
	if (!socket && !locked) {
		return AWAY_STOPPED;
	}
	if (!a->failing_since_mono_ms || (socket && locked)) {
		a->failing_since_mono_ms = now;
	}
	int64_t failing = now - a->failing_since_mono_ms;
	if (!socket && failing >= REST_MS) {
		return AWAY_STOPPED;
	}
	return failing >= AWAY_GIVE_UP_MS ? AWAY_GONE : AWAY_STILL;
}

static void nap(int64_t ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&ts, NULL);
}

bool away_wait(struct client *c, int64_t deadline_mono_ms, bool *stopped, struct err *err)
{
	struct away a;
	int64_t pause = FIRST_NAP_MS;
	*stopped = false;
	for (away_begin(&a, c);; nap(pause), pause = pause < NAP_MS ? pause * 2 : NAP_MS) {
		if (interrupt_pending()) {
			return err_set(err, ERR_NONE, "interrupted");
		}
		switch (away_look(&a, c)) {
		case AWAY_BACK:
			return true;
		case AWAY_STOPPED:
			*stopped = true;
			return err_set(err, ERR_NO_DAEMON, "pmctld was stopped meanwhile");
		case AWAY_GONE:
			return err_set(err, ERR_NO_DAEMON,
				       "pmctld was killed, and its keeper too; none came back "
				       "within %d s",
				       AWAY_GIVE_UP_MS / 1000);
		case AWAY_STILL:
			break;
		}
		if (deadline_mono_ms && clock_mono_ms() >= deadline_mono_ms) {
			return err_set(err, ERR_DEADLINE, "deadline passed");
		}
	}
}

/* SPDX-License-Identifier: MIT */
#include "client/import/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/units.h"
#include "config/names.h"
#include "sys/fileio.h"
#include "sys/proc.h"

#define ANSWER_FD  3
#define END_MS	   2000 /* to end after its answer */
#define ROUNDS	   2000 /* of a millisecond */
#define BAD_OPTION 9	/* how node ends that does not know an option */

struct child {
	pid_t pid;
	int answer, output, stage; /* our ends; -1 = closed */
};

/* --- start --- */

/* node takes the types out of it, where it can. */
static bool is_typescript(const char *path)
{
	const char *dot = path ? strrchr(path, '.') : NULL;
	return dot &&
	       (strcmp(dot, ".ts") == 0 || strcmp(dot, ".mts") == 0 || strcmp(dot, ".cts") == 0);
}

/* In the child. Only what may be done between fork and exec. */
static void become_node(const struct import_code *code, int input, const int ends[3])
{
	char *argv[8] = {(char *)(uintptr_t) "node"};
	size_t n = 1;
	if (is_typescript(code->path)) {
		argv[n++] = (char *)(uintptr_t) "--experimental-strip-types";
		argv[n++] = (char *)(uintptr_t) "--no-warnings";
	}
	argv[n++] = (char *)(uintptr_t) "-e";
	argv[n++] = (char *)(uintptr_t)importnode_program;
	argv[n++] = (char *)(uintptr_t) "--";
	argv[n++] = (char *)(uintptr_t)(code->path ? code->path : "-");
	int null = input;
	int stage = fcntl(ends[2], F_DUPFD_CLOEXEC, 10);
	int answer = fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
	int output = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || stage < 0 || answer < 0 || output < 0 || dup2(null, 0) < 0 ||
	    dup2(output, 1) < 0 || dup2(output, 2) < 0 || dup2(answer, ANSWER_FD) < 0 ||
	    chdir(code->dir) != 0) {
		_exit(126);
	}
	execvp("node", argv);
	(void)!write(stage, &errno, sizeof(errno));
	_exit(127);
}

static bool make_pipes(int fds[3][2], struct err *err)
{
	for (int i = 0; i < 3; i++) {
		if (pipe2(fds[i], O_CLOEXEC) != 0) {
			err_sys(err, "pipe");
			while (i-- > 0) {
				close(fds[i][0]);
				close(fds[i][1]);
			}
			return false;
		}
	}
	return true;
}

/* Its standard input: the text, or nothing. -1 with errno. */
static int make_input(const struct import_code *code)
{
	if (code->path) {
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	int fd = memfd_create("list", MFD_CLOEXEC);
	if (fd >= 0 &&
	    (!file_write_all(fd, code->text, code->len) || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool start(struct child *ch, const struct import_code *code, struct err *err)
{
	int fds[3][2];
	int input = make_input(code);
	if (input < 0) {
		return err_sys(err, "standard input of node");
	}
	if (!make_pipes(fds, err)) {
		close(input);
		return false;
	}
	const int ends[3] = {fds[0][1], fds[1][1], fds[2][1]};
	ch->pid = fork();
	if (ch->pid == 0) {
		become_node(code, input, ends);
	}
	int saved = errno;
	close(input);
	for (int i = 0; i < 3; i++) {
		close(fds[i][1]);
	}
	ch->answer = fds[0][0];
	ch->output = fds[1][0];
	ch->stage = fds[2][0];
	errno = saved;
	return ch->pid > 0 || err_sys(err, "fork");
}

/* --- read --- */

static void close_end(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

/* One read. False at the end, which closes it. */
static bool take(int *fd, struct buf *out, size_t most)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));
	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return true;
	}
	if (n <= 0) {
		close_end(fd);
		return false;
	}
	size_t room = out->len < most ? most - out->len : 0;
	buf_add(out, chunk, (size_t)n < room ? (size_t)n : room);
	return true;
}

/* What it printed last, without waiting. */
static void take_rest(struct child *ch, struct buf *printed)
{
	size_t had = SIZE_MAX;
	if (ch->output >= 0) {
		fcntl(ch->output, F_SETFL, O_NONBLOCK);
	}
	while (ch->output >= 0 && printed->len < LIMIT_IMPORT_PRINTED && printed->len != had) {
		had = printed->len;
		take(&ch->output, printed, LIMIT_IMPORT_PRINTED);
	}
}

static void close_all(struct child *ch)
{
	close_end(&ch->answer);
	close_end(&ch->output);
	close_end(&ch->stage);
}

/* Until the answer is complete, too long, or not to come any more. */
static bool read_answer(struct child *ch, int64_t most_ms, struct buf *answer, struct buf *printed,
			struct err *err)
{
	int64_t end = clock_mono_ms() + most_ms;
	while (ch->answer >= 0) {
		struct pollfd p[2] = {{.fd = ch->answer, .events = POLLIN},
				      {.fd = ch->output, .events = POLLIN}};
		int64_t left = end - clock_mono_ms();
		if (interrupt_pending()) {
			return err_set(err, ERR_NONE, "interrupted");
		}
		int n = left > 0 ? poll(p, 2, (int)left) : 0;
		if (n == 0) {
			char after[24];
			units_format_duration(most_ms, after, sizeof(after));
			return err_set(err, ERR_FAILED,
				       "it still runs after %s, and was killed: an app list must "
				       "only say what to run",
				       after);
		}
		if (n < 0 && errno != EINTR) {
			return err_sys(err, "poll");
		}
		if (n > 0 && p[1].revents) {
			take(&ch->output, printed, LIMIT_IMPORT_PRINTED);
		}
		if (n > 0 && p[0].revents && take(&ch->answer, answer, LIMIT_IMPORT + 1)) {
			if (answer->len > LIMIT_IMPORT) {
				return err_set(err, ERR_FAILED,
					       "the app list is larger than %d MiB",
					       LIMIT_IMPORT / (1024 * 1024));
			}
			if (answer->len && answer->data[answer->len - 1] == '\n') {
				return true;
			}
		}
	}
	return err_set(err, ERR_FAILED, "%s", ""); /* its end tells more */
}

/* --- end --- */

static bool has_ended(const struct child *ch)
{
	siginfo_t si = {0};
	return waitid(P_PID, (id_t)ch->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       si.si_pid == ch->pid;
}

/* Kill it and all it has started: what loses its parent becomes a child of ours, and we have no
 * others. Returns the wait status. */
static int end_child(struct child *ch, bool let_it_end)
{
	int status = 0, other;
	pid_t *pids = NULL;
	for (int i = 0; let_it_end && i < END_MS && !has_ended(ch); i++) {
		poll(NULL, 0, 1);
	}
	kill(ch->pid, SIGKILL);
	while (waitpid(ch->pid, &status, 0) < 0 && errno == EINTR) {
	}
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = proc_children(getpid(), &pids);
		for (size_t i = 0; i < n; i++) {
			kill(pids[i], SIGKILL);
		}
		free(pids);
		pids = NULL;
		while (waitpid(-1, &other, WNOHANG) > 0) {
		}
		if (n == 0) {
			break;
		}
		poll(NULL, 0, 1);
	}
	return status;
}

/* --- what came --- */

static const char *hint_for(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "error"));
	const char *code = json_string_value(json_object_get(answer, "code"));
	if (!text || !code) {
		return NULL;
	}
	if (strcmp(code, "MODULE_NOT_FOUND") == 0 || strcmp(code, "ERR_MODULE_NOT_FOUND") == 0) {
		return "install what it needs first: npm ci";
	}
	if (strstr(text, "Cannot use import statement") ||
	    strstr(text, "Unexpected token 'export'")) {
		return "it is an ES module: name it .mjs, or put \"type\": \"module\" into "
		       "package.json";
	}
	if (strcmp(code, "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") == 0 ||
	    strcmp(code, "ERR_INVALID_TYPESCRIPT_SYNTAX") == 0 || strstr(text, "strip-only mode")) {
		return "node only takes types out; make JavaScript of it: npx tsc, npx esbuild";
	}
	if (strstr(text, "module is not defined") || strstr(text, "require is not defined")) {
		return "it is a CommonJS module below \"type\": \"module\": name it .cjs";
	}
	return NULL;
}

static json_t *understand(const struct buf *answer, const char **hint, struct err *err)
{
	json_error_t e;
	char shown[SHOWN_MAX];
	json_t *o = json_loadb(answer->data, answer->len, 0, &e);
	const char *error = json_string_value(json_object_get(o, "error"));
	json_int_t line = json_integer_value(json_object_get(o, "line"));
	if (!json_is_object(o)) {
		json_decref(o);
		err_set(err, ERR_FAILED, "node gave no answer we understand: %s",
			names_shown(e.text, shown));
		return NULL;
	}
	if (error) {
		const char *name = json_string_value(json_object_get(o, "name"));
		char first[400];
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(error, "\n"), error);
		bool named = name && *name && strcmp(name, "Error") != 0;
		if (line) {
			err_set(err, ERR_FAILED, "it throws in line %lld: %.40s%s%s",
				(long long)line, named ? name : "", named ? ": " : "",
				names_shown(first, shown));
		} else {
			err_set(err, ERR_FAILED, "it throws: %.40s%s%s", named ? name : "",
				named ? ": " : "", names_shown(first, shown));
		}
		*hint = hint_for(o);
		json_decref(o);
		return NULL;
	}
	return o;
}

/* Why there is no answer. */
static void tell_end(const struct import_code *code, int stage_errno, int status, struct err *err)
{
	if (stage_errno == ENOENT) {
		err_set(err, ERR_FAILED,
			"node is needed to read a list that is a program, and there is none in "
			"PATH");
	} else if (stage_errno) {
		err_set(err, ERR_FAILED, "cannot execute node: %s", strerror(stage_errno));
	} else if (WIFSIGNALED(status)) {
		err_set(err, ERR_FAILED, "node was ended by signal %d while it read the list",
			WTERMSIG(status));
	} else if (is_typescript(code->path) && WEXITSTATUS(status) == BAD_OPTION) {
		err_set(err, ERR_FAILED,
			"it is TypeScript, and the node in PATH cannot take the types out; from "
			"22.6 on it can. Or make JavaScript of it (npx tsc, npx esbuild), and "
			"import "
			"that");
	} else {
		err_set(err, ERR_FAILED,
			"it ended node by itself (exit status %d) before it said anything",
			WEXITSTATUS(status));
	}
}

json_t *importnode_run(const struct import_code *code, int64_t most_ms, struct buf *printed,
		       const char **hint, struct err *err)
{
	struct child ch = {.answer = -1, .output = -1, .stage = -1};
	struct buf answer = {0};
	json_t *o = NULL;
	int stage_errno = 0;
	*hint = NULL;
	interrupt_catch();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!start(&ch, code, err)) {
		close_all(&ch);
		return NULL;
	}
	bool came = read_answer(&ch, most_ms, &answer, printed, err);
	bool ended = !came && !err->msg[0];
	int status = end_child(&ch, came || ended);
	take_rest(&ch, printed);
	if (came) {
		o = understand(&answer, hint, err);
	} else if (ended) {
		if (read(ch.stage, &stage_errno, sizeof(stage_errno)) != sizeof(stage_errno)) {
			stage_errno = 0;
		}
		tell_end(code, stage_errno, status, err);
		*hint = stage_errno == ENOENT
				? "install nodejs, or import what node makes of it: node -p "
				  "'JSON.stringify(require(\"./FILE\"))' > list.json"
				: NULL;
	}
	close_all(&ch);
	buf_finish(&answer);
	return o;
}

/* SPDX-License-Identifier: MIT */
/*
 * pmctl-exec - the exec stub, see stub.h. Static, so that it starts in a fraction of a
 * millisecond; it links nothing but the pure env_file parser.
 */
#include "sys/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/sigignore.h"
#include "config/envfile.h"

extern char **environ;

struct job {
	int nlisten, channel;
	int nbase;
	bool has_user, has_group, has_groups, has_umask;
	uid_t uid;
	gid_t gid;
	gid_t groups[256];
	int ngroups;
	mode_t umask;
	const char *dir, *script, *env_file;
	char **argv;
	int report;
};

static struct job job = {.report = STUB_FD_REPORT};

static void fail(enum stub_stage stage, int error, const char *detail)
{
	struct stub_report r = {.stage = stage, .error = error};
	snprintf(r.detail, sizeof(r.detail), "%s", detail);
	while (write(job.report, &r, sizeof(r)) < 0 && errno == EINTR) {
	}
	_exit(127);
}

static rlim_t limit_value(const char *s)
{
	return s[0] == '-' ? RLIM_INFINITY : strtoull(s, NULL, 10);
}

static void set_limit(char *value)
{
	char *save = NULL;
	const char *res = strtok_r(value, ":", &save);
	const char *name = strtok_r(NULL, ":", &save);
	const char *soft = strtok_r(NULL, ":", &save);
	const char *hard = strtok_r(NULL, ":", &save);
	struct rlimit rl = {.rlim_cur = limit_value(soft), .rlim_max = limit_value(hard)};
	if (setrlimit(atoi(res), &rl) != 0) {
		char what[64];
		snprintf(what, sizeof(what), "limit.%s to %s:%s", name, soft, hard);
		fail(STAGE_LIMIT, errno, what);
	}
}

static void set_affinity(const char *hex)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	size_t len = strlen(hex);
	for (size_t i = 0; i < len; i++) {
		char digit[2] = {hex[len - 1 - i], '\0'};
		unsigned long v = strtoul(digit, NULL, 16);
		for (unsigned bit = 0; bit < 4; bit++) {
			if (v & (1ul << bit)) {
				CPU_SET(i * 4 + bit, &set);
			}
		}
	}
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		fail(STAGE_AFFINITY, errno, hex);
	}
}

static void set_nice(const char *value)
{
	if (setpriority(PRIO_PROCESS, 0, atoi(value)) != 0) {
		fail(STAGE_NICE, errno, value);
	}
}

/* Not fatal: lowering needs a right an ordinary daemon does not have, raising always works. */
static void set_oom_score(const char *value)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, value, strlen(value)) < 0) {
			errno = 0;
		}
		close(fd);
	}
}

static void read_groups(char *value)
{
	char *save = NULL;
	job.has_groups = true;
	for (char *g = strtok_r(value, ",", &save); g; g = strtok_r(NULL, ",", &save)) {
		if (job.ngroups < (int)ARRAY_LEN(job.groups)) {
			job.groups[job.ngroups++] = (gid_t)strtoul(g, NULL, 10);
		}
	}
}

static void take_option(int letter, char *value)
{
	switch (letter) {
	case 'l':
		job.nlisten = atoi(value);
		break;
	case 'n':
		job.channel = atoi(value);
		break;
	case 'r':
		set_limit(value);
		break;
	case 'i':
		set_nice(value);
		break;
	case 'a':
		set_affinity(value);
		break;
	case 'o':
		set_oom_score(value);
		break;
	case 'u':
		job.has_user = true;
		job.uid = (uid_t)strtoul(value, NULL, 10);
		break;
	case 'g':
		job.has_group = true;
		job.gid = (gid_t)strtoul(value, NULL, 10);
		break;
	case 's':
		read_groups(value);
		break;
	case 'm':
		job.has_umask = true;
		job.umask = (mode_t)strtoul(value, NULL, 8);
		break;
	case 'd':
		job.dir = value;
		break;
	case 'f':
		job.script = value;
		break;
	case 'b':
		job.nbase = atoi(value);
		break;
	case 'e':
		job.env_file = value;
		break;
	default:
		fail(STAGE_EXEC, EINVAL, "unknown option of pmctl-exec");
	}
}

/* Rights are dropped for good, and that is checked: a half-dropped process must never run. */
static void drop_rights(void)
{
	if (job.has_groups && setgroups((size_t)job.ngroups, job.groups) != 0) {
		fail(STAGE_GROUP, errno, "supplementary groups");
	}
	if (job.has_group && setresgid(job.gid, job.gid, job.gid) != 0) {
		fail(STAGE_GROUP, errno, "setresgid");
	}
	if (job.has_user && setresuid(job.uid, job.uid, job.uid) != 0) {
		fail(STAGE_USER, errno, "setresuid");
	}
	if (job.has_user && job.uid != 0 && (setuid(0) == 0 || getuid() != job.uid)) {
		fail(STAGE_USER, 0, "rights could be taken back");
	}
	if (job.has_umask) {
		umask(job.umask);
	}
}

/* Signals as a program expects them: nothing blocked, nothing ignored. An exec resets handlers by
 * itself; what the supervisor ignores is this and nothing else (daemon/daemon.c). */
static void reset_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2, SIGXFSZ};
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		signal(ignored[i], SIG_DFL);
	}
	sigignore_restore();
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The app's end of a log pipe is opened read-write: it never sees SIGPIPE, whatever happens to
 * us, and the description is its own, so its O_NONBLOCK does not touch anybody else.
 */
static void reopen_output(int fd)
{
	struct stat st;
	char path[32];
	if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode)) {
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int own = open(path, O_RDWR | O_CLOEXEC);
	if (own < 0 || dup2(own, fd) < 0) {
		fail(STAGE_STDIO, errno, path);
	}
	close(own);
}

/* Sockets to 3, 4 ..., the channel and its other end behind them, the report out of the way, all
 * else closed. */
static void place_descriptors(void)
{
	int want = job.nlisten + (job.channel ? 2 : 0);
	int report = fcntl(job.report, F_DUPFD_CLOEXEC, STUB_FD_MORE + want);
	if (report < 0) {
		fail(STAGE_STDIO, errno, "report descriptor");
	}
	job.report = report;
	for (int i = 0; i < want; i++) {
		if (dup2(STUB_FD_MORE + i, 3 + i) < 0) {
			fail(STAGE_STDIO, errno, "listening descriptor");
		}
	}
	unsigned first = 3 + (unsigned)want;
	if (syscall(SYS_close_range, first, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) {
		for (int fd = (int)first; fd < report; fd++) {
			close(fd);
		}
	}
}

static void distrust(const char *path, const char *what, const char *fix)
{
	char text[240];
	snprintf(text, sizeof(text), "%.110s: %s; fix: %s", path, what, fix);
	fail(STAGE_ENV_FILE, 0, text);
}

/*
 * Variables decide what a program does (LD_PRELOAD): those of root come from root only, and those
 * of somebody whom root starts not from everybody.
 */
static void check_env_file(const char *path, const struct stat *st)
{
	struct stat in;
	char dir[PATH_MAX];
	bool is_root = geteuid() == 0;
	if (!is_root && !job.has_user) {
		return; /* an ordinary user's own business */
	}
	if (st->st_mode & (is_root ? 022 : 002)) {
		distrust(path, "writable by others", "chmod go-w");
	}
	if (!is_root) {
		return;
	}
	if (st->st_uid != 0) {
		distrust(path, "not root's, but the app runs as root", "chown root, or set user");
	}
	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash) {
		slash[slash == dir] = '\0';
	}
	if (slash && stat(dir, &in) == 0 &&
	    (in.st_uid != 0 || (in.st_mode & 022 && !(in.st_mode & S_ISVTX)))) {
		distrust(path, "others can replace it in its directory",
			 "chown root and chmod go-w the directory");
	}
}

static bool slurp(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
		return false;
	}
	check_env_file(path, &st);
	*text = xmalloc(LIMIT_ENV_FILE + 1);
	*len = 0;
	for (ssize_t n; *len <= LIMIT_ENV_FILE; *len += (size_t)n) {
		n = read(fd, *text + *len, LIMIT_ENV_FILE + 1 - *len);
		if (n <= 0) {
			close(fd);
			return n == 0;
		}
	}
	errno = EFBIG;
	return false;
}

static bool same_name(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* A variable of the file: over the base environment, but not over what the INI file says. */
static void merge_variable(const char *name, const char *value)
{
	size_t n = 0;
	size_t len = strlen(name);
	size_t found = SIZE_MAX;
	for (; environ[n]; n++) {
		if (same_name(environ[n], name, len)) {
			found = n;
		}
	}
	if (found != SIZE_MAX && found >= (size_t)job.nbase) {
		return;
	}
	char *entry = xasprintf("%s=%s", name, value);
	if (found != SIZE_MAX) {
		environ[found] = entry;
		return;
	}
	char **bigger = xcalloc(n + 2, sizeof(*bigger));
	bigger[0] = entry;
	memcpy(bigger + 1, environ, n * sizeof(*bigger));
	environ = bigger;
	job.nbase++;
}

static void read_env_file(void)
{
	char *text;
	size_t len;
	if (!slurp(job.env_file, &text, &len)) {
		fail(STAGE_ENV_FILE, errno, job.env_file);
	}
	struct env_file vars = {0};
	struct err err;
	if (!envfile_parse(&vars, text, len, &err)) {
		char what[240];
		snprintf(what, sizeof(what), "%.100s: %.130s", job.env_file, err.msg);
		fail(STAGE_ENV_FILE, 0, what);
	}
	for (size_t i = 0; i < vars.n; i++) {
		merge_variable(vars.v[i].name, vars.v[i].value);
	}
}

/* LISTEN_PID must be ours, and only we know it. */
static void set_listen_pid(void)
{
	static char entry[32];
	for (size_t i = 0; environ[i]; i++) {
		if (same_name(environ[i], "LISTEN_PID", 10)) {
			snprintf(entry, sizeof(entry), "LISTEN_PID=%d", (int)getpid());
			environ[i] = entry;
		}
	}
}

static const char *search_path(void)
{
	for (size_t i = 0; environ[i]; i++) {
		if (same_name(environ[i], "PATH", 4)) {
			return environ[i] + 5;
		}
	}
	return "/usr/local/bin:/usr/bin:/bin";
}

/* As execvpe(3), but a file that is no program is an error, not a shell script. */
static int exec_program(void)
{
	const char *name = job.argv[0];
	if (strchr(name, '/')) {
		execve(name, job.argv, environ);
		return errno;
	}
	int error = ENOENT;
	for (const char *p = search_path(); *p;) {
		size_t len = strcspn(p, ":");
		char full[PATH_MAX];
		if (len && snprintf(full, sizeof(full), "%.*s/%s", (int)len, p, name) <
				   (int)sizeof(full)) {
			execve(full, job.argv, environ);
			error = errno == ENOENT || errno == ENOTDIR ? error : errno;
		}
		p += len;
		p += *p == ':';
	}
	return error;
}

/* An exec of a file that is there fails as "No such file" where its #! line names none. */
static void fail_exec(int error)
{
	const char *name = job.argv[0];
	char line[200] = "", what[240];
	int fd = error == ENOENT && strchr(name, '/') ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && read(fd, line, sizeof(line) - 1) > 2 && strncmp(line, "#!", 2) == 0) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(what, sizeof(what), "%.110s: its interpreter %.110s", name,
			 line + 2 + strspn(line + 2, " \t"));
		fail(STAGE_EXEC, error, what);
	}
	fail(STAGE_EXEC, error, name);
}

int main(int argc, char **argv)
{
	int i = 1;
	setsid();
	for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		take_option(argv[i][1], argv[i + 1]);
	}
	if (i + 1 >= argc) {
		fail(STAGE_EXEC, EINVAL, "no program");
	}
	job.argv = argv + i + 1;
	reset_signals();
	reopen_output(STDOUT_FILENO);
	reopen_output(STDERR_FILENO);
	drop_rights();
	if (job.dir && chdir(job.dir) != 0) {
		fail(STAGE_CHDIR, errno, job.dir);
	}
	if (job.env_file) {
		read_env_file();
	}
	if (job.script && access(job.script, R_OK) != 0) {
		fail(STAGE_SCRIPT, errno, job.script);
	}
	place_descriptors();
	set_listen_pid();
	fail_exec(exec_program());
}

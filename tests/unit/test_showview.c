/* SPDX-License-Identifier: MIT */
#include "client/showview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "jsonquote.h"

#define NOW 1763820000000LL /* 2025-11-22T14:00:00Z */

static void user(struct buf *out, int64_t uid)
{
	buf_adds(out, uid == 1000 ? "ada" : "somebody");
}

static const char worker[] =
	"{'name': 'worker', 'project': 'shop', 'namespace': 'shop', 'mode': 'fork',"
	" 'state': 'online', 'instances': 2, 'online': 2, 'note': ':1 leak? +2.1M/min',"
	" 'memory_max': 536870912, 'user': 'shop', 'ready_by': 'notify',"
	" 'file': '/srv/shop/pmctl.ini', 'line': 31, 'command': 'node worker.js --queue jobs',"
	" 'cwd': '/srv/shop', 'applied_at': '2025-11-22T13:21:03.000Z',"
	" 'applied_by': {'uid': 1000, 'pid': 7}, 'next_cron': '2025-11-22T16:30:00.000Z',"
	" 'logs': ['/var/log/pmctl/worker-0.out.log', '/var/log/pmctl/worker-0.err.log',"
	"          '/var/log/pmctl/worker-1.out.log', '/var/log/pmctl/worker-1.err.log'],"
	" 'settings': [{'key': 'autorestart', 'value': 'always', 'from': 'default'},"
	"  {'key': 'restart_delay', 'value': '100ms', 'from': 'default'},"
	"  {'key': 'restart_delay_max', 'value': '15s', 'from': 'default'},"
	"  {'key': 'max_restarts', 'value': '10', 'from': 'default'},"
	"  {'key': 'restart_window', 'value': '5m', 'from': 'default'},"
	"  {'key': 'stop_signal', 'value': 'SIGTERM', 'from': 'default'},"
	"  {'key': 'stop_timeout', 'value': '10s', 'from': 'default'},"
	"  {'key': 'kill_mode', 'value': 'tree', 'from': 'default'},"
	"  {'key': 'ready', 'value': 'notify', 'from': '/srv/shop/pmctl.ini:33'},"
	"  {'key': 'ready_timeout', 'value': '30s', 'from': 'default'},"
	"  {'key': 'memory_max', 'value': '256M', 'from': '/srv/shop/pmctl.ini:34'},"
	"  {'key': 'log_max_size', 'value': '10M', 'from': 'default'},"
	"  {'key': 'log_keep', 'value': '5', 'from': 'default'},"
	"  {'key': 'limit.nofile', 'value': '1024', 'from': '/srv/shop/conf.d/more.ini:2'}],"
	" 'procs': [{'id': 1, 'slot': 0, 'pid': 50102, 'state': 'online', 'up_ms': 2520000,"
	"   'restarts': 0, 'cpu_pct': 1, 'mem_bytes': 42991616, 'note': '', 'last_exit': null,"
	"   'mem_history': [90e6, 90e6, 90e6, 90e6, 90e6, 90e6, 90e6, 90e6]},"
	"  {'id': 2, 'slot': 1, 'pid': 50103, 'state': 'online', 'up_ms': 2520000,"
	"   'restarts': 0, 'cpu_pct': 2, 'mem_bytes': 80740352, 'note': 'leak? +2.1M/min',"
	"   'leak': {'bytes_per_min': 2202009, 'left_ms': 5100000},"
	"   'mem_history': [null, 30e6, 60e6, 90e6, 130e6, 180e6, 210e6, 240e6],"
	"   'last_exit': {'code': 1, 'at': '2025-11-22T13:18:00Z'}}]}";

static const char lines[] =
	"[{'ms': 1763819944018, 'slot': 1, 'stream': 'out', 'text': 'job done 875'},"
	" {'ms': 1763819945120, 'slot': 0, 'stream': 'err', 'text': 'job slow\\u0007 876'}]";

static void expect(const struct listview *list, const char *app, const char *want)
{
	struct buf out = {0};
	json_t *a = json(app);
	json_t *l = json(lines);
	struct showview v = {.list = *list, .lines = l, .log_bytes = 8493466, .user = user};
	v.list.now_ms = NOW;
	showview_app(&v, a, &out);
	if (strcmp(out.data, want) != 0) {
		fputs(out.data, stderr); /* cmocka cuts long messages */
		fail_msg("is not what is wanted");
	}
	json_decref(a);
	json_decref(l);
	buf_finish(&out);
}

static void as_it_is_drawn(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 100, .utf8 = true}, worker,
	       "worker  ▲ online 2/2, one warning                       project shop, namespace "
	       "shop\n"
	       "  warning   worker:1 memory grows 2.1M/min; limit 256M in about 1h25m\n"
	       "  command   node worker.js --queue jobs   cwd /srv/shop   user shop   mode fork\n"
	       "  file      /srv/shop/pmctl.ini:31   applied 13:21:03 by ada\n"
	       "  restart   always, delay 100ms to 15s, failed after more than 10 in 5m\n"
	       "  stop      SIGTERM to the tree, SIGKILL after 10s\n"
	       "  ready     notify (READY=1), 30s deadline\n"
	       "  limits    memory_max 256M   nofile 1024\n"
	       "  cron      next 2025-11-22 16:30, in 2h30m\n"
	       "  logs      worker-{0,1}.{out,err}.log in /var/log/pmctl, 8.1M, rotated at 10M, 5 "
	       "kept\n"
	       "\n"
	       "  SETTING       VALUE   FROM\n"
	       "  ready         notify  pmctl.ini:33\n"
	       "  memory_max    256M    pmctl.ini:34\n"
	       "  limit.nofile  1024    conf.d/more.ini:2\n"
	       "\n"
	       "  INST      STATE     PID   UP  RST  CPU    MEM  15 MIN    LAST EXIT       NOTE\n"
	       "  worker:0  online  50102  42m    0   1%  41.0M  ▃▃▃▃▃▃▃▃  -\n"
	       "  worker:1  online  50103  42m    0   2%  77.0M   ▁▂▃▄▆▇█  exit 1 42m ago  leak? "
	       "+2.1M/min\n"
	       "\n"
	       "  13:59:04.018 worker:1   job done 875\n"
	       "  13:59:05.120 worker:0 ! job slow\\x07 876\n");
	expect(&(struct listview){.width = 60}, worker,
	       "worker  ! online 2/2, one warning                       project shop, namespace "
	       "shop\n"
	       "  warning   worker:1 memory grows 2.1M/min; limit 256M in about 1h25m\n"
	       "  command   node worker.js --queue jobs\n"
	       "  cwd       /srv/shop\n"
	       "  user      shop\n"
	       "  mode      fork\n"
	       "  file      /srv/shop/pmctl.ini:31\n"
	       "  applied   13:21:03 by ada\n"
	       "  restart   always, delay 100ms to 15s, failed after more than 10 in 5m\n"
	       "  stop      SIGTERM to the tree, SIGKILL after 10s\n"
	       "  ready     notify (READY=1), 30s deadline\n"
	       "  limits    memory_max 256M   nofile 1024\n"
	       "  cron      next 2025-11-22 16:30, in 2h30m\n"
	       "  logs      worker-{0,1}.{out,err}.log in /var/log/pmctl, 8.1M, rotated at 10M, 5 "
	       "kept\n"
	       "\n"
	       "  SETTING       VALUE   FROM\n"
	       "  ready         notify  pmctl.ini:33\n"
	       "  memory_max    256M    pmctl.ini:34\n"
	       "  limit.nofile  1024    conf.d/more.ini:2\n"
	       "\n"
	       "  INST      STATE     PID   UP  CPU    MEM  NOTE\n"
	       "  worker:0  online  50102  42m   1%  41.0M\n"
	       "  worker:1  online  50103  42m   2%  77.0M  leak? +2.1M/min\n"
	       "\n"
	       "  13:59:04.018 worker:1   job done 875\n"
	       "  13:59:05.120 worker:0 ! job slow\\x07 876\n");
}

static void in_a_pipe(void **state)
{
	(void)state;
	expect(&(struct listview){.piped = true}, worker,
	       "worker  online 2/2, one warning                           project shop, namespace "
	       "shop\n"
	       "  warning   worker:1 memory grows 2.1M/min; limit 256M in about 1h25m\n"
	       "  command   node worker.js --queue jobs\n"
	       "  cwd       /srv/shop\n"
	       "  user      shop\n"
	       "  mode      fork\n"
	       "  file      /srv/shop/pmctl.ini:31\n"
	       "  applied   13:21:03 by ada\n"
	       "  restart   always, delay 100ms to 15s, failed after more than 10 in 5m\n"
	       "  stop      SIGTERM to the tree, SIGKILL after 10s\n"
	       "  ready     notify (READY=1), 30s deadline\n"
	       "  limits    memory_max 256M   nofile 1024\n"
	       "  cron      next 2025-11-22 16:30, in 2h30m\n"
	       "  logs      worker-{0,1}.{out,err}.log in /var/log/pmctl, 8.1M, rotated at 10M, 5 "
	       "kept\n"
	       "\n"
	       "  SETTING       VALUE   FROM\n"
	       "  ready         notify  pmctl.ini:33\n"
	       "  memory_max    256M    pmctl.ini:34\n"
	       "  limit.nofile  1024    conf.d/more.ini:2\n"
	       "\n"
	       "  INST      STATE     PID   UP  RST  CPU    MEM  LAST EXIT       NOTE\n"
	       "  worker:0  online  50102  42m    0   1%  41.0M  -\n"
	       "  worker:1  online  50103  42m    0   2%  77.0M  exit 1 42m ago  leak? +2.1M/min\n"
	       "\n"
	       "  13:59:04.018 worker:1   job done 875\n"
	       "  13:59:05.120 worker:0 ! job slow\\x07 876\n");
}

static void of_the_command_line(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 80},
	       "{'name': 'x', 'project': 'd', 'state': 'backoff', 'instances': 1, 'online': 0,"
	       " 'note': 'try in 3s: exited 1', 'logs': ['/a/same.log', '/a/same.log'],"
	       " 'health_shared': true, 'ready_by': 'uptime', 'settings': ["
	       "  {'key': 'autorestart', 'value': 'never', 'from': 'command line'},"
	       "  {'key': 'health', 'value': 'http://x/', 'from': 'command line'},"
	       "  {'key': 'health_interval', 'value': '10s', 'from': 'default'},"
	       "  {'key': 'health_failures', 'value': '3', 'from': 'default'},"
	       "  {'key': 'min_uptime', 'value': '1s', 'from': 'default'}], 'procs': []}",
	       "x  ~ backoff 0/1                                        project d\n"
	       "  note      try in 3s: exited 1\n"
	       "  warning   health asks a socket of listen, where any instance may answer\n"
	       "  file      none, given on the command line\n"
	       "  restart   never\n"
	       "  ready     up for 1s (min_uptime)\n"
	       "  health    http://x/ every 10s, replaced after 3 failures\n"
	       "  logs      /a/same.log\n"
	       "            8.1M\n"
	       "\n"
	       "  SETTING      VALUE      FROM\n"
	       "  autorestart  never      command line\n"
	       "  health       http://x/  command line\n"
	       "\n"
	       "  INST  STATE  PID  UP  RST  CPU  MEM  LAST EXIT\n"
	       "\n"
	       "  13:59:04.018 x:1   job done 875\n"
	       "  13:59:05.120 x:0 ! job slow\\x07 876\n");
}

/* Whatever an answer holds or lacks: nothing controls the terminal. */
static void strange_answers(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{}",
		"{'name': 'a\\u001b[2J', 'state': 'x\\n', 'project': '\\r', 'cwd': '\\u009b1m'}",
		"{'logs': [1, null], 'instances': 1, 'settings': [3, {}], 'procs': [4, {}]}",
		"{'name': '%s%n', 'command': '%d', 'instances': 1000, 'logs': ['x', 'y']}",
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		json_t *a = json(rows[i]);
		struct showview v = {.list = {.width = 40}, .log_bytes = -1, .user = user};
		showview_app(&v, a, &out);
		for (size_t k = 0; k < out.len; k++) {
			assert_true(out.data[k] == '\n' || (unsigned char)out.data[k] >= 0x20);
		}
		assert_null(strstr(out.data, "\xc2\x9b"));
		json_decref(a);
		buf_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_is_drawn),
		cmocka_unit_test(in_a_pipe),
		cmocka_unit_test(of_the_command_line),
		cmocka_unit_test(strange_answers),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

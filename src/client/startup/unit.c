/* SPDX-License-Identifier: MIT */
#include "client/startup/unit.h"

#include <inttypes.h>
#include <string.h>

#include "common/crc32c.h"

#define MARK "# Written by pmctl startup, "

/* A word as systemd.syntax(7) takes it; `dollar`: in a command line, where $ is expanded. */
static void add_word(struct buf *out, const char *s, bool dollar)
{
	bool quote = !*s || s[strcspn(s, " \t\n'\"\\;")];
	buf_adds(out, quote ? "\"" : "");
	for (; *s; s++) {
		if (*s == '\n') {
			buf_adds(out, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\') {
			buf_addc(out, '\\');
		} else if (*s == '%' || (*s == '$' && dollar)) {
			buf_addc(out, *s);
		}
		buf_addc(out, *s);
	}
	buf_adds(out, quote ? "\"" : "");
}

static void add_variable(struct buf *out, const char *name, const char *value)
{
	struct buf word = {0};
	if (!value) {
		return;
	}
	buf_addf(&word, "%s=%s", name, value);
	buf_adds(out, "Environment=");
	add_word(out, word.data, false);
	buf_addc(out, '\n');
	buf_finish(&word);
}

static void add_head(struct buf *out, const struct unit *u)
{
	buf_adds(out, "# What stop, restart and reload do: man 8 pmctld, BOOT. Changes "
		      "belong into a drop-in:\n");
	buf_addf(out, "# systemctl %sedit pmctld\n\n", u->user ? "--user " : "");
	buf_adds(out, "[Unit]\n"
		      "Description=pmctl, supervisor of applications\n"
		      "Documentation=man:pmctld(8) man:pmctl(1)\n");
	if (!u->user) {
		buf_adds(out, "Wants=network-online.target\n"
			      "After=network-online.target remote-fs.target "
			      "nss-user-lookup.target\n");
	}
	buf_adds(out, "# A supervisor that is not tried again is of no use.\n"
		      "StartLimitIntervalSec=0\n\n");
}

static void add_service(struct buf *out, const struct unit *u)
{
	buf_adds(out,
		 "[Service]\nType=notify\n"
		 "# None of the apps, which run in this control group too, is to speak for us.\n"
		 "NotifyAccess=main\n"
		 "ExecStart=");
	add_word(out, u->pmctld, true);
	buf_adds(out, " --foreground\n# The program that is installed now takes over in place; no "
		      "app notices.\nExecReload=");
	add_word(out, u->pmctl, true);
	buf_adds(out, " daemon upgrade\n");
	add_variable(out, "PMCTL_HOME", u->pmctl_home);
	add_variable(out, "XDG_STATE_HOME", u->xdg_state_home);
	add_variable(out, "PATH", u->path);
	buf_adds(out, "# pmctld stops the apps itself, in order, each within its stop_timeout. "
		      "Where it was killed they live\n"
		      "# on, and the one that is started next takes them over.\n"
		      "KillMode=process\n"
		      "TimeoutStopSec=5min\n"
		      "Restart=on-failure\n"
		      "RestartSec=1s\n"
		      "# A control group for each instance. What one of them does wrong is not the "
		      "end of all.\n"
		      "Delegate=yes\n"
		      "OOMPolicy=continue\n"
		      "TasksMax=infinity\n");
}

/* Restrictions hold for the apps too, so only what no app is to do. */
static void add_hardening(struct buf *out)
{
	buf_adds(out,
		 "# For the apps, which may set less or more with limit.nofile.\n"
		 "LimitNOFILE=65536:524288\n"
		 "# These hold for the apps too, so only what none is to do is taken away. More, "
		 "for "
		 "where it is not\n"
		 "# needed: man 8 pmctld, BOOT. Not PrivateTmp=yes: if pmctld is killed, systemd "
		 "empties that under the apps.\n"
		 "CapabilityBoundingSet=~CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_BOOT CAP_SYS_TIME "
		 "CAP_SYSLOG\n"
		 "CapabilityBoundingSet=~CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_AUDIT_CONTROL "
		 "CAP_WAKE_ALARM CAP_BLOCK_SUSPEND\n"
		 "KeyringMode=private\n"
		 "LockPersonality=yes\n");
}

void unit_add(struct buf *out, const struct unit *u)
{
	add_head(out, u);
	add_service(out, u);
	if (!u->user) {
		add_hardening(out);
	}
	buf_addf(out, "\n[Install]\nWantedBy=%s.target\n", u->user ? "default" : "multi-user");
}

void unit_add_mark(struct buf *out, const char *text)
{
	buf_addf(out, MARK "checksum %08" PRIx32 ".\n", crc32c(text, strlen(text)));
}

enum unit_is unit_judge(const char *file, const char *text)
{
	struct buf mark = {0};
	const char *end = strchr(file, '\n');
	bool marked = end && strncmp(file, MARK, strlen(MARK)) == 0;
	const char *rest = marked ? end + 1 : file;
	if (strcmp(rest, text) == 0) {
		return UNIT_SAME;
	}
	unit_add_mark(&mark, rest);
	bool ours = marked && strncmp(file, mark.data, mark.len) == 0;
	buf_finish(&mark);
	return ours ? UNIT_OURS : UNIT_EDITED;
}
